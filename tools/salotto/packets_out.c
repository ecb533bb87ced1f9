/* packets_out.c - every stream datagram as it was received (see packets_out.h) */
#include "tools/salotto/packets_out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct packets_out {
    FILE *file;
    const char *path; /* borrowed */
};

static int failed(const struct packets_out *p, struct err *err)
{
    return err_set(err, ERR_DEVICE, NULL, "cannot write %s: %s", p->path, err_reason(errno));
}

struct packets_out *packets_out_open(const char *path, struct err *err)
{
    struct packets_out *p = calloc(1, sizeof *p);

    if (p == NULL) {
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    p->path = path;
    p->file = fopen(path, "we");
    if (p->file == NULL) {
        failed(p, err);
        free(p);
        return NULL;
    }
    return p;
}

int packets_out_write(struct packets_out *p, const uint8_t *datagram, size_t len, struct err *err)
{
    const uint8_t length[2] = {(uint8_t)(len >> 8), (uint8_t)len};

    if (fwrite(length, sizeof length, 1, p->file) != 1 || fwrite(datagram, 1, len, p->file) != len)
        return failed(p, err);
    return 0;
}

int packets_out_close(struct packets_out *p, struct err *err)
{
    int ret = 0;

    if (p == NULL)
        return 0;
    if (fclose(p->file) != 0)
        ret = failed(p, err);
    free(p);
    return ret;
}
