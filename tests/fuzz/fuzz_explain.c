/* Any bytes as a capture, explained in all forms with the corpus's keys. Packets that are mutated as they are
 * would end at the cipher; so half of the mutations are made of plaintext (reseal.c). */
#define _GNU_SOURCE /* open_memstream's stream is read back by jansson */

#include "fuzz.h"
#include "write.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct known_keys known;
static struct known_keys tables; /* the same as Wireshark's tables have it: Phase 1 tells the rest */

void fuzz_found(const char *what)
{
    fprintf(stderr, "found: %s\n", what);
    abort();
}

static void make_tables(void)
{
    static struct known_isakmp isakmps[8];
    static struct known_esp esp = {.family = 4, .any_source = true, .any_destination = true, .any_spi = true};
    for (size_t i = 0; i < known.num_isakmp && i < 8; i++) {
        const struct known_isakmp *k = &known.isakmp[i];
        struct p2_isakmp_keys keys;
        isakmps[i].any_responder = true;
        memcpy(isakmps[i].initiator_cookie, k->initiator_cookie, 8);
        fuzz_isakmp_keys(&keys, k);
        isakmps[i].key_len = p2_cipher_of(k->cipher)->key_len;
        memcpy(isakmps[i].key, keys.encryption_key, isakmps[i].key_len);
        tables.num_isakmp++;
    }
    esp.cipher = P2_CIPHER_NULL;
    tables.isakmp = isakmps;
    tables.esp = &esp;
    tables.num_esp = 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const names[] = {"aggressive-mode", "no-proposal-chosen", "qm-nopfs-aes128-sha1",
                                        "qm-pfs-modp1024-aes128-sha1", "rekey-under-traffic"};
    char path[128], error[KEYS_ERROR];
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "tests/vectors/corpus/%s/keys.xml", names[i]);
        if (known_keys_load(&known, path, error) < 0)
            fuzz_found(error);
    }
    make_tables();
    return 0;
}

struct explanation *fuzz_listen(const struct known_keys *keys, const uint8_t *data, size_t size)
{
    char error[FRAMES_ERROR];
    struct frames *frames;
    struct explanation *e;
    FILE *stream = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
    if (!stream || frames_open_stream(&frames, stream, "capture", error) < 0)
        return NULL;
    if (explanation_new(&e, keys, EXPLAIN_WINDOW, true) < 0 || explanation_read(e, frames) < 0)
        fuzz_found("out of memory while listening");
    frames_close(frames);
    return e;
}

static void write_with(int (*write)(FILE *, const struct explanation *, const struct explain_options *),
                       const struct explanation *e, bool is_json)
{
    struct explain_options options = {.file = "capture", .verbose = true};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out || write(out, e, &options) < 0 || fclose(out) != 0)
        fuzz_found("out of memory while writing");
    if (is_json) {
        json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        if (!root)
            fuzz_found("what was written is not JSON");
        json_decref(root);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct explanation *e = fuzz_listen(&known, data, size);
    if (!e)
        return 0;
    fuzz_check(e);
    write_with(explain_write_text, e, false);
    write_with(explain_write_json, e, true);
    explanation_free(e);
    e = fuzz_listen(&tables, data, size);
    fuzz_check(e);
    explanation_free(e);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size_t resealed = seed % 4 == 0 ? 0 : fuzz_reseal(&known, data, size, max_size, seed / 4);
    return resealed > 0 ? resealed : LLVMFuzzerMutate(data, size, max_size);
}
