/* level.h - how loud a recording is
 */
#ifndef SALOTTO_LEVEL_H
#define SALOTTO_LEVEL_H

#include <stddef.h>

#define LEVEL_FLOOR_DBFS (-120.0f)

struct level {        /* 0 dBFS: a sample, or an RMS, of 1.0 */
    float peak_dbfs;  /* the loudest sample */
    float rms_dbfs;   /* of the 20 ms frames in which somebody speaks (mixer/gate.h); LEVEL_FLOOR_DBFS without any */
    float speaking_s; /* how much that is */
    size_t at_limit;  /* samples at full scale: it was clipped there */
};

/* n samples at 48 kHz; a frame that is not whole does not count towards rms_dbfs. */
void level_measure(struct level *l, const float *pcm, size_t n);

#endif
