#include "hash.h"

#include <nettle/memops.h>
#include <nettle/nettle-meta.h>

#include <assert.h>
#include <string.h>

struct hash_row {
    struct p2_hash_info info;
    const struct nettle_hash *nettle;
};

static const struct hash_row hashes[P2_NUM_HASHES] = {
    [P2_HASH_NONE] = {{"none", 0, 0}, NULL},
    [P2_HASH_MD5] = {{"md5", MD5_DIGEST_SIZE, 1}, &nettle_md5},
    [P2_HASH_SHA1] = {{"sha1", SHA1_DIGEST_SIZE, 2}, &nettle_sha1},
    [P2_HASH_SHA256] = {{"sha256", SHA256_DIGEST_SIZE, 4}, &nettle_sha256},
    [P2_HASH_SHA384] = {{"sha384", SHA384_DIGEST_SIZE, 5}, &nettle_sha384},
    [P2_HASH_SHA512] = {{"sha512", SHA512_DIGEST_SIZE, 6}, &nettle_sha512},
};

const struct p2_hash_info *p2_hash_of(enum p2_hash hash)
{
    assert((unsigned)hash < P2_NUM_HASHES);
    return &hashes[hash].info;
}

enum p2_hash p2_hash_by_name(const char *name)
{
    unsigned h = P2_NUM_HASHES - 1;
    while (h > P2_HASH_NONE && strcmp(hashes[h].info.name, name) != 0)
        h--;
    return (enum p2_hash)h;
}

enum p2_hash p2_hash_by_ike_id(uint16_t ike_id)
{
    unsigned h = P2_NUM_HASHES - 1;
    while (h > P2_HASH_NONE && hashes[h].info.ike_id != ike_id)
        h--;
    return (enum p2_hash)h;
}

/* Room for the running state of any hash of the table. */
union hash_state {
    struct md5_ctx md5;
    struct sha1_ctx sha1;
    struct sha256_ctx sha256;
    struct sha512_ctx sha512;
};

static void update(const struct nettle_hash *nettle, union hash_state *state, const struct p2_bytes *parts,
                   size_t num_parts)
{
    for (size_t i = 0; i < num_parts; i++) {
        /* An empty part may have no address, and memcpy from NULL is undefined even for 0 bytes. */
        if (parts[i].len > 0)
            nettle->update(state, parts[i].len, parts[i].data);
    }
}

void p2_hash_digest(enum p2_hash hash, const struct p2_bytes *parts, size_t num_parts, uint8_t *out)
{
    assert(hash > P2_HASH_NONE && hash < P2_NUM_HASHES);
    const struct nettle_hash *nettle = hashes[hash].nettle;
    union hash_state state;
    nettle->init(&state);
    update(nettle, &state, parts, num_parts);
    nettle->digest(&state, nettle->digest_size, out);
}

/* nettle lays an HMAC context out as three states of the hash: outer, inner, running. The first two stay as
 * the key made them; the third is not used here, so that compute() can take the context const. */
static void *nth_state(const struct nettle_hash *nettle, void *keyed, size_t n)
{
    return (uint8_t *)keyed + n * nettle->context_size;
}

void p2_hmac_init(struct p2_hmac *hmac, enum p2_hash hash, const uint8_t *key, size_t key_len)
{
    assert(hash > P2_HASH_NONE && hash < P2_NUM_HASHES);
    const struct nettle_hash *nettle = hashes[hash].nettle;
    memset(hmac, 0, sizeof *hmac);
    hmac->hash = hash;
    hmac_set_key(nth_state(nettle, &hmac->keyed, 0), nth_state(nettle, &hmac->keyed, 1),
                 nth_state(nettle, &hmac->keyed, 2), nettle, key_len,
                 key_len > 0 ? key : (const uint8_t *)"");
}

void p2_hmac_compute(const struct p2_hmac *hmac, const struct p2_bytes *parts, size_t num_parts, uint8_t *out,
                     size_t out_len)
{
    const struct nettle_hash *nettle = hashes[hmac->hash].nettle;
    const uint8_t *outer = (const uint8_t *)&hmac->keyed;
    const uint8_t *inner = outer + nettle->context_size;
    union hash_state state;
    uint8_t digest[P2_HASH_MAX_LEN];

    assert(out_len <= nettle->digest_size);
    memcpy(&state, inner, nettle->context_size);
    update(nettle, &state, parts, num_parts);
    nettle->digest(&state, nettle->digest_size, digest);
    memcpy(&state, outer, nettle->context_size);
    nettle->update(&state, nettle->digest_size, digest);
    nettle->digest(&state, out_len, out);
}

/* Key lengths: RFC 2403 section 3, RFC 2404 section 3, RFC 4868 section 2.1.1. Numbers 5 to 7: RFC 4868
 * section 3 and IANA. */
static const struct p2_auth_info auths[P2_NUM_AUTHS] = {
    [P2_AUTH_NONE] = {"none", P2_HASH_NONE, 0, 0, 0, 0, "NULL"},
    [P2_AUTH_HMAC_MD5_96] = {"hmac-md5-96", P2_HASH_MD5, 16, 12, 1, 2, "HMAC-MD5-96 [RFC2403]"},
    [P2_AUTH_HMAC_SHA1_96] = {"hmac-sha1-96", P2_HASH_SHA1, 20, 12, 2, 3, "HMAC-SHA-1-96 [RFC2404]"},
    [P2_AUTH_HMAC_SHA256_128] = {"hmac-sha256-128", P2_HASH_SHA256, 32, 16, 5, 5,
                                 "HMAC-SHA-256-128 [RFC4868]"},
    [P2_AUTH_HMAC_SHA384_192] = {"hmac-sha384-192", P2_HASH_SHA384, 48, 24, 6, 6,
                                 "HMAC-SHA-384-192 [RFC4868]"},
    [P2_AUTH_HMAC_SHA512_256] = {"hmac-sha512-256", P2_HASH_SHA512, 64, 32, 7, 7,
                                 "HMAC-SHA-512-256 [RFC4868]"},
};

const struct p2_auth_info *p2_auth_of(enum p2_auth auth)
{
    assert((unsigned)auth < P2_NUM_AUTHS);
    return &auths[auth];
}

enum p2_auth p2_auth_by_name(const char *name)
{
    unsigned a = P2_NUM_AUTHS - 1;
    while (a > P2_AUTH_NONE && strcmp(auths[a].name, name) != 0)
        a--;
    return (enum p2_auth)a;
}

enum p2_auth p2_auth_by_ipsec_id(uint16_t ipsec_id)
{
    unsigned a = P2_NUM_AUTHS - 1;
    while (a > P2_AUTH_NONE && auths[a].ipsec_id != ipsec_id)
        a--;
    return (enum p2_auth)a;
}

enum p2_auth p2_auth_by_ah_id(uint8_t ah_id)
{
    unsigned a = P2_NUM_AUTHS - 1;
    while (a > P2_AUTH_NONE && auths[a].ah_id != ah_id)
        a--;
    return (enum p2_auth)a;
}

bool p2_equal_constant_time(const uint8_t *a, const uint8_t *b, size_t len)
{
    return memeql_sec(a, b, len) != 0;
}

void p2_wipe(void *data, size_t len)
{
    if (len == 0)
        return;
    memset(data, 0, len);
    /* The compiler must assume that somebody reads the zeros, and so cannot drop the memset. */
    __asm__ __volatile__("" : : "r"(data) : "memory");
}
