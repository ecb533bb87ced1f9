/* schema.h - the migrations, as embed.sh made them from schema/NNN-*.sql
 */
#ifndef SALOTTO_STORAGE_SCHEMA_H
#define SALOTTO_STORAGE_SCHEMA_H

/* schema_sql[0] brings an empty file to version 1, schema_sql[1] version 1 to 2 … */
extern const char *const schema_sql[];
extern const unsigned schema_sql_count;

#endif
