/* wav_out.c - what was heard, as a WAV file (see wav_out.h)
 *
 * RIFF/WAVE as in "Multimedia Programming Interface and Data Specifications 1.0" (IBM and Microsoft, 1991): a `fmt `
 * chunk of PCM, then `data`. Little-endian.
 */
#include "tools/salotto/wav_out.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RATE         48000u
#define HEADER_BYTES 44u
#define UPDATE_EVERY RATE
#define DATA_MAX     (0xffffffffu - HEADER_BYTES)

struct wav_out {
    FILE *file;
    char *path;
    uint64_t samples, updated_at;
    bool seekable;
};

static void put_le(uint8_t *at, uint32_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static int failed(const struct wav_out *w, struct err *err)
{
    return err_set(err, ERR_DEVICE,
                   errno == ENOSPC ? ERR_TEXT("free some space on its disk; what was written until then plays") : NULL,
                   "cannot write %s: %s", w->path, err_reason(errno));
}

static void make_header(uint8_t h[HEADER_BYTES], uint32_t data_bytes)
{
    memcpy(h, "RIFF....WAVEfmt ....................data", HEADER_BYTES - 4);
    put_le(h + 4, data_bytes > DATA_MAX ? 0xffffffffu : data_bytes + HEADER_BYTES - 8, 4);
    put_le(h + 16, 16, 4); /* bytes of the fmt chunk */
    put_le(h + 20, 1, 2);  /* PCM */
    put_le(h + 22, 1, 2);  /* channels */
    put_le(h + 24, RATE, 4);
    put_le(h + 28, RATE * 2, 4); /* bytes a second */
    put_le(h + 32, 2, 2);        /* bytes a frame */
    put_le(h + 34, 16, 2);       /* bits a sample */
    put_le(h + 40, data_bytes, 4);
}

/* Makes the lengths in the header those of what is in the file. Its bytes are there already, so that needs no room on
 * the disk. */
static int update_header(struct wav_out *w, struct err *err)
{
    uint8_t h[HEADER_BYTES];
    struct stat st;
    off_t bytes;

    w->updated_at = w->samples;
    if (!w->seekable)
        return 0;
    if (fstat(fileno(w->file), &st) != 0)
        return failed(w, err);
    bytes = st.st_size > (off_t)HEADER_BYTES ? (st.st_size - (off_t)HEADER_BYTES) / 2 * 2 : 0;
    make_header(h, bytes > (off_t)DATA_MAX ? 0xffffffffu : (uint32_t)bytes);
    return pwrite(fileno(w->file), h, sizeof h, 0) == (ssize_t)sizeof h ? 0 : failed(w, err);
}

static int update(struct wav_out *w, struct err *err)
{
    return fflush(w->file) == 0 ? update_header(w, err) : failed(w, err);
}

/* A file from its beginning on, that we may go back in? Standard output may be one too, or one that others began. */
static bool is_own_file(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0 &&
           (fcntl(fd, F_GETFL) & O_APPEND) == 0;
}

struct wav_out *wav_out_open(const char *path, struct err *err)
{
    bool to_stdout = strcmp(path, "-") == 0;
    struct wav_out *w = calloc(1, sizeof *w);
    uint8_t h[HEADER_BYTES];
    int fd;

    if (w == NULL || (w->path = strdup(to_stdout ? err_words(ERR_TEXT("standard output")) : path)) == NULL) {
        free(w);
        err_set(err, ERR_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    fd = to_stdout ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    w->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (w->file == NULL) {
        failed(w, err);
        if (fd >= 0)
            close(fd);
        free(w->path);
        free(w);
        return NULL;
    }
    w->seekable = is_own_file(fd);
    make_header(h, w->seekable ? 0 : 0xffffffffu);
    if (fwrite(h, sizeof h, 1, w->file) != 1 || fflush(w->file) != 0) {
        failed(w, err);
        wav_out_close(w, NULL);
        return NULL;
    }
    return w;
}

int wav_out_write(struct wav_out *w, const float *pcm, size_t n, struct err *err)
{
    uint8_t bytes[2 * 480];

    while (n > 0) {
        size_t now = n < 480 ? n : 480;

        for (size_t i = 0; i < now; i++) {
            float v = pcm[i] * 32768.0f;

            v = v > 32767.0f ? 32767.0f : v < -32768.0f ? -32768.0f : v;
            put_le(bytes + 2 * i, (uint32_t)(int32_t)lrintf(v), 2);
        }
        if (fwrite(bytes, 2, now, w->file) != now)
            return failed(w, err);
        w->samples += now;
        pcm += now;
        n -= now;
    }
    return w->samples - w->updated_at >= UPDATE_EVERY ? update(w, err) : 0;
}

uint64_t wav_out_samples(const struct wav_out *w)
{
    return w->samples;
}

int wav_out_close(struct wav_out *w, struct err *err)
{
    int ret;

    if (w == NULL)
        return 0;
    ret = update(w, err);
    if (ret != 0) /* what the disk took is to be valid: as much of it as a header can tell */
        (void)update_header(w, NULL);
    if (fclose(w->file) != 0 && ret == 0)
        ret = failed(w, err);
    free(w->path);
    free(w);
    return ret;
}
