/* version.h - which Salotto this is
 */
#ifndef SALOTTO_TOOLS_VERSION_H
#define SALOTTO_TOOLS_VERSION_H

#define SALOTTO_VERSION "0.1.0"

#endif
