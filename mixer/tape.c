/* tape.c - a broadcast ring of encoded packets (see tape.h)
 *
 * A record is struct tape_packet cut off after its sound, laid into a ring of 64-bit words; an index holds where each
 * number's record starts, counted in words since the tape was made. The producer gives packets up (it moves `oldest`)
 * before it overwrites the first of their words. Its words are stored with release and loaded with acquire, so whoever
 * has read a word of the newer record also sees the older one given up: a reader looks at `oldest` once more after
 * copying, and if its packet is still kept, no word of the copy was torn. Atomic words with these orders rather than
 * fences, since fences are invisible to ThreadSanitizer.
 */
#include "mixer/tape.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TAPE_PACKETS_MAX 65536u
#define TAPE_BYTES_MAX   ((size_t)1 << 30)
#define WORD             sizeof(uint64_t)
#define HEADER_BYTES     offsetof(struct tape_packet, opus)
#define HEADER_WORDS     ((HEADER_BYTES + WORD - 1) / WORD)
#define RECORD_WORDS_MAX ((HEADER_BYTES + PACKET_OPUS_MAX_BYTES + WORD - 1) / WORD)
#define POSITION_WORD    (offsetof(struct tape_packet, position) / WORD)
#define CACHE_LINE       64

/* A record is copied by whole words, into the struct as well as out of it. */
_Static_assert(sizeof(struct tape_packet) == RECORD_WORDS_MAX * WORD, "a record's last word must lie in the struct");
_Static_assert(offsetof(struct tape_packet, position) % WORD == 0, "the position must be a word of its own");

struct tape {
    uint64_t packets; /* index entries */
    uint64_t words;
    _Atomic uint64_t *start; /* of number n, at n % packets */
    _Atomic uint64_t *word;
    uint64_t end; /* producer only: where the next record starts */
    _Alignas(CACHE_LINE) _Atomic uint64_t next;
    _Atomic uint64_t oldest;
};

struct tape *tape_new(unsigned packets, size_t bytes, uint64_t first_number)
{
    size_t index_bytes, size;
    struct tape *t;

    if (packets < 2 || packets > TAPE_PACKETS_MAX || (packets & (packets - 1)) != 0)
        return NULL;
    if (bytes < RECORD_WORDS_MAX * WORD || bytes > TAPE_BYTES_MAX || (bytes & (bytes - 1)) != 0)
        return NULL;
    index_bytes = packets * WORD;
    size = (sizeof *t + index_bytes + bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    t = aligned_alloc(CACHE_LINE, size);
    if (t == NULL)
        return NULL;
    memset(t, 0, size);
    t->packets = packets;
    t->words = bytes / WORD;
    t->start = (_Atomic uint64_t *)(t + 1);
    t->word = t->start + packets;
    atomic_init(&t->next, first_number);
    atomic_init(&t->oldest, first_number);
    return t;
}

void tape_free(struct tape *t)
{
    free(t);
}

/* RT_SAFE. */
static _Atomic uint64_t *start_of(const struct tape *t, uint64_t number)
{
    return &t->start[number & (t->packets - 1)];
}

/* RT_SAFE. */
static _Atomic uint64_t *word_at(const struct tape *t, uint64_t offset)
{
    return &t->word[offset & (t->words - 1)];
}

/* RT_SAFE. Gives up the oldest packets until a record of `need` words and its index entry have room. */
static void make_room(struct tape *t, uint64_t next, uint64_t need)
{
    uint64_t oldest = atomic_load_explicit(&t->oldest, memory_order_relaxed);

    while (oldest < next) {
        uint64_t start = atomic_load_explicit(start_of(t, oldest), memory_order_relaxed);

        if (next - oldest < t->packets && t->end + need - start <= t->words)
            break;
        oldest++;
    }
    atomic_store_explicit(&t->oldest, oldest, memory_order_relaxed);
}

uint64_t tape_append(struct tape *t, const struct tape_packet *p)
{
    uint64_t number = atomic_load_explicit(&t->next, memory_order_relaxed);
    /* Longer than Opus allows can't come from an encoder; such a packet keeps its number but has no sound. */
    uint16_t opus_bytes = p->opus_bytes <= PACKET_OPUS_MAX_BYTES ? p->opus_bytes : 0;
    size_t bytes = HEADER_BYTES + opus_bytes;
    size_t words = (bytes + WORD - 1) / WORD;
    struct tape_packet record;

    memcpy(&record, p, bytes);
    record.number = number;
    record.opus_bytes = opus_bytes;
    memset((uint8_t *)&record + bytes, 0, words * WORD - bytes);

    make_room(t, number, words);
    for (size_t i = 0; i < words; i++) {
        uint64_t word;

        memcpy(&word, (const uint8_t *)&record + i * WORD, WORD);
        atomic_store_explicit(word_at(t, t->end + i), word, memory_order_release);
    }
    atomic_store_explicit(start_of(t, number), t->end, memory_order_release);
    t->end += words;
    atomic_store_explicit(&t->next, number + 1, memory_order_release);
    return number;
}

/* RT_SAFE. Copies words from..to-1 of the record at start; what they are worth, tape_oldest() says afterwards. */
static void copy_words(const struct tape *t, uint64_t start, size_t from, size_t to, struct tape_packet *out)
{
    for (size_t i = from; i < to; i++) {
        uint64_t word = atomic_load_explicit(word_at(t, start + i), memory_order_acquire);

        memcpy((uint8_t *)out + i * WORD, &word, WORD);
    }
}

int tape_read(const struct tape *t, uint64_t number, struct tape_packet *out)
{
    uint64_t start;

    if (number >= tape_next(t))
        return -EAGAIN;
    if (number < tape_oldest(t))
        return -ESTALE;
    start = atomic_load_explicit(start_of(t, number), memory_order_acquire);
    copy_words(t, start, 0, HEADER_WORDS, out);
    /* The length may be used only once it is known to be this packet's. */
    if (number < tape_oldest(t))
        return -ESTALE;
    copy_words(t, start, HEADER_WORDS, (HEADER_BYTES + out->opus_bytes + WORD - 1) / WORD, out);
    return number < tape_oldest(t) ? -ESTALE : 0;
}

uint64_t tape_next(const struct tape *t)
{
    return atomic_load_explicit(&t->next, memory_order_acquire);
}

uint64_t tape_oldest(const struct tape *t)
{
    return atomic_load_explicit(&t->oldest, memory_order_acquire);
}

uint64_t tape_seek(const struct tape *t, uint64_t position)
{
    uint64_t high = tape_next(t);
    uint64_t low = tape_oldest(t);

    /* Positions only grow, so halving finds it. A packet given up meanwhile counts as before the position. */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        uint64_t start = atomic_load_explicit(start_of(t, middle), memory_order_acquire);
        uint64_t found = atomic_load_explicit(word_at(t, start + POSITION_WORD), memory_order_acquire);

        if (middle < tape_oldest(t) || found < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const char *const tier_names[STREAM_TIERS] = {
    [STREAM_EDGE] = "edge",
    [STREAM_LOW] = "low",
    [STREAM_STANDARD] = "standard",
    [STREAM_MUSIC] = "music",
};

const char *stream_name(enum stream s)
{
    if (s == STREAM_OWN)
        return "own";
    return (unsigned)s < STREAM_TIERS ? tier_names[s] : NULL;
}

int stream_by_name(const char *name)
{
    for (int s = 0; s < STREAM_TIERS; s++)
        if (strcmp(tier_names[s], name) == 0)
            return s;
    return -1;
}
