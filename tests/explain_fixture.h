/* Captures as records in memory, which a test edits before `explain` listens to them; and what is known of
 * those of the corpus. */
#ifndef P2_TESTS_EXPLAIN_FIXTURE_H
#define P2_TESTS_EXPLAIN_FIXTURE_H

#include "check.h"
#include "explanation.h"
#include "ip.h"
#include "story.h"

#include <inttypes.h>
#include <jansson.h>
#include <unistd.h>

#define CORPUS          "tests/vectors/corpus/"
#define ETHERNET_HEADER 14
#define IKE_OFFSET      (ETHERNET_HEADER + P2_IPV4_HEADER_LEN + P2_UDP_HEADER_LEN)
#define ESP_OFFSET      (ETHERNET_HEADER + P2_IPV4_HEADER_LEN)

static const char *const corpus_cases[] = {"qm-nopfs-aes128-sha1", "qm-pfs-modp1024-aes128-sha1",
                                           "no-proposal-chosen", "rekey-under-traffic", "aggressive-mode"};
enum { NOPFS, PFS, REFUSED, REKEYED, AGGRESSIVE, NUM_CASES };

struct record {
    uint8_t *bytes; /* owned */
    size_t len, on_wire;
    uint32_t seconds, microseconds;
};

struct records {
    struct record *list;
    size_t num;
    uint32_t link_type;
};

/* --- records --- */

static inline uint32_t little(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static inline void records_insert(struct records *r, size_t at, const struct record *like)
{
    struct record copy = *like;
    copy.bytes = must(malloc(like->len + 1));
    memcpy(copy.bytes, like->bytes, like->len);
    r->list = must(realloc(r->list, (r->num + 1) * sizeof *r->list));
    memmove(r->list + at + 1, r->list + at, (r->num - at) * sizeof *r->list);
    r->list[at] = copy;
    r->num++;
}

static inline void records_drop(struct records *r, size_t at)
{
    free(r->list[at].bytes);
    r->num--;
    memmove(r->list + at, r->list + at + 1, (r->num - at) * sizeof *r->list);
}

static inline void records_move(struct records *r, size_t from, size_t to)
{
    struct record moved = r->list[from];
    memmove(r->list + from, r->list + from + 1, (r->num - from - 1) * sizeof *r->list);
    memmove(r->list + to + 1, r->list + to, (r->num - to - 1) * sizeof *r->list);
    r->list[to] = moved;
}

static inline void records_append(struct records *r, const struct records *other)
{
    for (size_t i = 0; i < other->num; i++)
        records_insert(r, r->num, &other->list[i]);
}

static inline struct records records_copy(const struct records *other)
{
    struct records copy = {.link_type = other->link_type};
    records_append(&copy, other);
    return copy;
}

static inline void records_free(struct records *r)
{
    for (size_t i = 0; i < r->num; i++)
        free(r->list[i].bytes);
    free(r->list);
    *r = (struct records){0};
}

static inline uint8_t *read_whole(const char *path, size_t *len)
{
    FILE *in = must(fopen(path, "rb"));
    fseek(in, 0, SEEK_END);
    *len = (size_t)ftell(in);
    rewind(in);
    uint8_t *bytes = must(malloc(*len + 1));
    if (fread(bytes, 1, *len, in) != *len)
        abort();
    fclose(in);
    return bytes;
}

/* Classic pcap, microseconds, little-endian. */
static inline struct records records_load(const char *name)
{
    char path[256];
    size_t len;
    snprintf(path, sizeof path, CORPUS "%s/capture.pcap", name);
    uint8_t *file = read_whole(path, &len);
    struct records r = {.link_type = little(file + 20)};
    for (size_t at = 24; at + 16 <= len; at += 16 + little(file + at + 8)) {
        struct record record = {file + at + 16, little(file + at + 8), little(file + at + 12),
                                little(file + at), little(file + at + 4)};
        records_insert(&r, r.num, &record);
    }
    free(file);
    return r;
}

static inline uint8_t *put_little(uint8_t *at, size_t value)
{
    for (unsigned i = 0; i < 4; i++)
        *at++ = (uint8_t)(value >> 8 * i);
    return at;
}

/* The file that they make; owned by the caller. */
static inline uint8_t *records_file(const struct records *r, size_t *len)
{
    *len = 24;
    for (size_t i = 0; i < r->num; i++)
        *len += 16 + r->list[i].len;
    uint8_t *file = must(malloc(*len + 1)), *at = file;
    const uint32_t header[6] = {0xa1b2c3d4, 4u << 16 | 2u, 0, 0, 262144, r->link_type};
    for (size_t i = 0; i < 6; i++)
        at = put_little(at, header[i]);
    for (size_t i = 0; i < r->num; i++) {
        const struct record *record = &r->list[i];
        at = put_little(at, record->seconds);
        at = put_little(at, record->microseconds);
        at = put_little(at, record->len);
        at = put_little(at, record->on_wire);
        memcpy(at, record->bytes, record->len);
        at += record->len;
    }
    return file;
}

/* --- which record is what: of the corpus, Ethernet and IPv4 without options --- */

static inline bool is_esp(const struct record *record)
{
    return record->bytes[ETHERNET_HEADER + 9] == P2_IP_PROTO_ESP;
}

static inline bool is_ike(const struct record *record)
{
    return record->bytes[ETHERNET_HEADER + 9] == P2_IP_PROTO_UDP;
}

static inline uint32_t message_id_of(const struct record *record)
{
    return p2_get_u32(record->bytes + IKE_OFFSET + 20);
}

static inline bool is_phase1(const struct record *record)
{
    return is_ike(record) && message_id_of(record) == 0;
}

static inline bool is_phase2(const struct record *record)
{
    return is_ike(record) && message_id_of(record) != 0;
}

static inline bool is_quick(const struct record *record)
{
    return is_phase2(record) && record->bytes[IKE_OFFSET + 18] == P2_EXCHANGE_QUICK;
}

static inline void records_drop_all(struct records *r, bool (*of)(const struct record *))
{
    for (size_t i = r->num; i-- > 0;) {
        if (of(&r->list[i]))
            records_drop(r, i);
    }
}

/* The n-th of a kind, from 0. */
static inline size_t records_find(const struct records *r, bool (*of)(const struct record *), size_t n)
{
    for (size_t i = 0; i < r->num; i++) {
        if (of(&r->list[i]) && n-- == 0)
            return i;
    }
    abort();
}

static inline void flip(struct record *record, size_t bit)
{
    record->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* --- keys --- */

static inline void add_keys_at(struct known_keys *keys, const char *path)
{
    char error[KEYS_ERROR];
    if (known_keys_load(keys, path, error) < 0) {
        fprintf(stderr, "%s\n", error);
        abort();
    }
}

static inline void add_keys(struct known_keys *keys, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, CORPUS "%s/keys.xml", name);
    add_keys_at(keys, path);
}

static inline struct known_keys keys_of(const char *name)
{
    struct known_keys keys = {0};
    add_keys(&keys, name);
    return keys;
}

/* A table of Wireshark's. */
static inline struct known_keys keys_from_text(const char *text)
{
    struct known_keys keys = {0};
    char path[] = "/tmp/phase2sim-test-XXXXXX";
    int file = mkstemp(path);
    if (file < 0 || write(file, text, strlen(text)) != (ssize_t)strlen(text))
        abort();
    close(file);
    add_keys_at(&keys, path);
    unlink(path);
    return keys;
}

/* --- listening --- */

static inline struct explanation *explain_file(const uint8_t *file, size_t len, const struct known_keys *keys,
                                               uint32_t window)
{
    struct explanation *e;
    struct frames *frames;
    char error[FRAMES_ERROR];
    FILE *stream = must(fmemopen((void *)(uintptr_t)file, len, "rb"));
    if (frames_open_stream(&frames, stream, "x.pcap", error) < 0)
        return NULL;
    check_ok(explanation_new(&e, keys, window, true));
    check_ok(explanation_read(e, frames));
    frames_close(frames);
    return e;
}

static inline struct explanation *explain_with(const struct records *r, const struct known_keys *keys,
                                               uint32_t window)
{
    size_t len;
    uint8_t *file = records_file(r, &len);
    struct explanation *e = must(explain_file(file, len, keys, window));
    free(file);
    return e;
}

static inline struct explanation *explain_records(const struct records *r, const struct known_keys *keys)
{
    return explain_with(r, keys, EXPLAIN_WINDOW);
}

/* --- asking --- */

static inline const struct explain_exchange *find_exchange(const struct explanation *e, uint32_t message_id)
{
    for (size_t i = 0; i < e->num_exchanges; i++) {
        if (e->exchanges[i].message_id == message_id)
            return &e->exchanges[i];
    }
    return NULL;
}

static inline size_t count_hash(const struct explanation *e, enum explain_hash hash)
{
    size_t num = 0;
    for (size_t i = 0; i < e->num_messages; i++)
        num += e->messages[i].copy_of == EXPLAIN_NONE && e->messages[i].hash == hash;
    return num;
}

static inline size_t count_outcome(const struct explanation *e, enum explain_outcome outcome)
{
    size_t num = 0;
    for (size_t i = 0; i < e->num_exchanges; i++)
        num += e->exchanges[i].quick && explain_outcome(e, &e->exchanges[i]) == outcome;
    return num;
}

static inline size_t count_keyed(const struct explanation *e)
{
    size_t num = 0;
    for (size_t i = 0; i < e->num_sas; i++)
        num += e->sas[i].has_keys;
    return num;
}

static inline bool lines_have(const struct lines *lines, const char *text)
{
    for (size_t i = 0; i < lines->num; i++) {
        if (strstr(lines->list[i], text))
            return true;
    }
    return false;
}

static inline void lines_show(const struct lines *lines)
{
    for (size_t i = 0; i < lines->num; i++)
        printf("\n      %s", lines->list[i]);
    printf("\n");
}

/* Whether a Quick Mode's story has a text in it; shows the story if not. */
static inline bool story_has(const struct explanation *e, const struct explain_exchange *x, const char *text)
{
    struct lines lines = {0};
    story_of_quick_mode(e, (size_t)(x - e->exchanges), &lines);
    bool has = lines_have(&lines, text);
    if (!has)
        lines_show(&lines);
    lines_cleanup(&lines);
    return has;
}

static inline bool notes_have(const struct explanation *e, const char *text)
{
    struct lines lines = {0};
    story_of_capture(e, &lines);
    bool has = lines_have(&lines, text);
    if (!has)
        lines_show(&lines);
    lines_cleanup(&lines);
    return has;
}

/* --- what the daemons said --- */

static inline json_t *expectations(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, CORPUS "%s/expect.json", name);
    return must(json_load_file(path, 0, NULL));
}

static inline bool has_bytes(const uint8_t *bytes, size_t len, const json_t *hex)
{
    uint8_t expected[P2_CIPHER_MAX_KEY + P2_HASH_MAX_LEN];
    return check_unhex(json_string_value(hex), expected, sizeof expected) == len &&
           memcmp(bytes, expected, len) == 0;
}

/* An SA has exactly the keys that the daemons exported for its SPI. */
static inline bool has_exported_keys(const struct explain_sa *sa, const json_t *expect)
{
    char spi[16];
    snprintf(spi, sizeof spi, "%08" PRIx32, sa->spi);
    const json_t *keys = json_object_get(json_object_get(expect, "sas"), spi);
    return keys && sa->has_keys &&
           has_bytes(sa->encryption_key, sa->encryption_key_len, json_object_get(keys, "encr_key")) &&
           has_bytes(sa->authentication_key, sa->authentication_key_len, json_object_get(keys, "auth_key"));
}

/* How many of the negotiated SAs have their right keys; any other keys fail the test. */
static inline size_t count_right_keys(const struct explanation *e, const json_t *expect)
{
    size_t num = 0;
    for (size_t i = 0; i < e->num_sas; i++) {
        bool right = has_exported_keys(&e->sas[i], expect);
        CU_ASSERT_TRUE(right || !e->sas[i].has_keys);
        num += right;
    }
    return num;
}

static inline void check_quick_modes(const struct explanation *e, json_t *expect)
{
    const char *id;
    json_t *messages;
    bool refused = json_object_size(json_object_get(expect, "sas")) == 0;
    bool pfs = json_integer_value(json_object_get(expect, "pfs")) != 0;
    json_object_foreach(json_object_get(expect, "quick_mode_message_ids"), id, messages)
    {
        const struct explain_exchange *x = find_exchange(e, (uint32_t)strtoul(id, NULL, 16));
        CU_ASSERT_PTR_NOT_NULL_FATAL(x);
        CU_ASSERT_TRUE(x->quick && explain_started_by_initiator(e, x));
        CU_ASSERT_EQUAL(x->messages, json_integer_value(messages));
        CU_ASSERT_EQUAL(explain_outcome(e, x), refused ? EXPLAIN_REJECTED : EXPLAIN_ESTABLISHED);
        CU_ASSERT_EQUAL(x->notify, refused ? P2_NOTIFY_NO_PROPOSAL_CHOSEN : 0);
        CU_ASSERT_EQUAL(x->group, pfs ? 2 : 0);
        CU_ASSERT_EQUAL(x->num_sas, refused ? 0 : 2);
        for (size_t i = 0; i < (refused ? 1 : 3); i++)
            CU_ASSERT_EQUAL(e->messages[x->part[i]].hash, EXPLAIN_HASH_GOOD);
    }
}

/* Everything that expect.json says, and that nothing is wrong beside it. */
static inline void check_as_expected(const struct explanation *e, const char *name)
{
    json_t *expect = expectations(name);
    size_t num_sas = json_object_size(json_object_get(expect, "sas"));
    uint64_t packets = (uint64_t)json_integer_value(json_object_get(expect, "ipsec_packets"));
    check_quick_modes(e, expect);
    CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_BAD), 0);
    CU_ASSERT_EQUAL(count_outcome(e, EXPLAIN_ESTABLISHED), num_sas / 2);
    CU_ASSERT_EQUAL(e->num_sas, num_sas);
    CU_ASSERT_EQUAL(count_right_keys(e, expect), num_sas);
    CU_ASSERT_EQUAL(e->ipsec.packets, packets);
    CU_ASSERT_EQUAL(e->ipsec.icv_ok, packets);
    CU_ASSERT_EQUAL(e->ipsec.replayed + e->ipsec.too_old, 0);
    CU_ASSERT_STRING_EQUAL(e->broken, "");
    for (size_t i = 0; i < e->num_messages; i++) {
        const struct explain_message *m = &e->messages[i];
        CU_ASSERT_TRUE(m->header.message_id == 0 || m->copy_of != EXPLAIN_NONE ||
                       m->hash == EXPLAIN_HASH_GOOD);
    }
    json_decref(expect);
}

#endif
