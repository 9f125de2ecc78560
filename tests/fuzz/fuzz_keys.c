/* Any bytes as a file of keys, which lies in memory only. */
#define _GNU_SOURCE /* memfd_create */

#include "esp.h"
#include "keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "found: %s\n", what);
    abort();
}

/* What explain relies on. */
static void check(const struct known_keys *keys)
{
    for (size_t i = 0; i < keys->num_isakmp; i++) {
        const struct known_isakmp *k = &keys->isakmp[i];
        require(k->cipher == P2_CIPHER_NONE || p2_cipher_is_for_ike(k->cipher),
                "a cipher that ISAKMP has not");
        require(k->key_len <= sizeof k->key, "a key is too long");
        require(k->any_responder || k->hash != P2_HASH_NONE, "an ISAKMP SA without hash");
    }
    for (size_t i = 0; i < keys->num_secrets; i++)
        require(keys->secrets[i].len > 0 && keys->secrets[i].len <= KEYS_MAX_SECRET, "length of a secret");
    for (size_t i = 0; i < keys->num_esp; i++) {
        const struct known_esp *k = &keys->esp[i];
        struct p2_esp_keys esp;
        require(k->family == 4 || k->family == 6, "a line of esp_sa without a family");
        if (k->cipher == P2_CIPHER_NULL && k->auth == P2_AUTH_NONE) /* which esp.h wants nobody to ask for */
            continue;
        p2_esp_init(&esp, k->cipher, k->encryption_key, k->auth, k->authentication_key, false);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct known_keys keys = {0};
    char path[64], error[KEYS_ERROR];
    int fd = memfd_create("keys", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no file in memory");
    if (known_keys_load(&keys, path, error) < 0) {
        require(error[0] != '\0' && !strchr(error, '\n'), "an error is no line");
        require(keys.num_isakmp + keys.num_secrets + keys.num_esp == 0, "an error left keys behind");
    } else {
        require(error[0] == '\0', "an error without failure");
        check(&keys);
    }
    known_keys_cleanup(&keys);
    close(fd);
    return 0;
}
