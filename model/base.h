/* Types that every part of libphase2 shares: time, errors, randomness, addresses.
 *
 * The library is sans-I/O: time and randomness come in as arguments, packets and work go out as actions. */
#ifndef P2_BASE_H
#define P2_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define P2_WARN_UNUSED __attribute__((warn_unused_result))

/* Nanoseconds since the start of the simulation. */
typedef int64_t p2_time;
#define P2_TIME_NEVER INT64_MAX
#define P2_SECOND     INT64_C(1000000000)
#define P2_MS         INT64_C(1000000)

/* What our own code can fail with. A peer's fault is never one of these at the gateway's face. */
enum p2_error {
    P2_OK = 0,
    P2_ERR_NOMEM = -1,      /* out of memory */
    P2_ERR_CRYPTO = -2,     /* the crypto library refused */
    P2_ERR_SPACE = -3,      /* the caller's buffer is too small */
    P2_ERR_MALFORMED = -4,  /* the input does not parse */
    P2_ERR_PEER_VALUE = -5, /* a peer's Diffie-Hellman value is out of range or not on the curve */
    P2_ERR_WEAK_KEY = -6,   /* the key that both ends derive is one that its cipher is weak under */
};

/* RFC 2407 section 4.4.1: protocol identifiers in proposals, notifies and deletes, and in KEYMAT. */
enum p2_protocol { P2_PROTO_ISAKMP = 1, P2_PROTO_AH = 2, P2_PROTO_ESP = 3 };

/* What random bytes are wanted for, so that a test can script each of them from a capture. */
enum p2_random_use {
    P2_RANDOM_COOKIE,
    P2_RANDOM_MESSAGE_ID,
    P2_RANDOM_NONCE,
    P2_RANDOM_SPI,
    P2_RANDOM_IV,
    P2_RANDOM_DH,
    P2_RANDOM_FUZZ,
};

/* The only source of randomness: the host backs it with a numbered stream. */
struct p2_random {
    void (*fill)(void *ctx, enum p2_random_use use, uint8_t *out, size_t len);
    void *ctx;
};

/* A piece of memory that somebody else owns. */
struct p2_bytes {
    const uint8_t *data;
    size_t len;
};

/* IPv4 or IPv6 address in network byte order; IPv4 uses the first 4 bytes and leaves the rest 0. */
struct p2_address {
    uint8_t family; /* 4, 6, or 0: none */
    uint8_t bytes[16];
};

static inline struct p2_address p2_address_v4(uint32_t host_order)
{
    struct p2_address a = {4,
                           {(uint8_t)(host_order >> 24), (uint8_t)(host_order >> 16),
                            (uint8_t)(host_order >> 8), (uint8_t)host_order}};
    return a;
}

static inline uint32_t p2_address_to_v4(const struct p2_address *a)
{
    return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 | (uint32_t)a->bytes[2] << 8 |
           a->bytes[3];
}

/* Bytes of an address of that family; 0: no address. */
static inline size_t p2_address_len(uint8_t family)
{
    return family == 6 ? 16 : family == 4 ? 4 : 0;
}

bool p2_address_equal(const struct p2_address *a, const struct p2_address *b);
/* Below 0, 0 or above 0, in numeric order; IPv4 stands before IPv6. */
int p2_address_compare(const struct p2_address *a, const struct p2_address *b);
/* The address with all but its first prefix_len bits zero. */
struct p2_address p2_address_masked(const struct p2_address *address, unsigned prefix_len);
/* For hash maps, with a comparison against collisions. IPv4: the address itself, so no two share one. Of two
 * IPv6 addresses with the same upper half the hashes differ just as the lower halves do. */
uint64_t p2_address_hash(const struct p2_address *address);

#define P2_ADDRESS_TEXT 40

/* "192.0.2.1"; IPv6 as RFC 5952 has it: "2001:db8::1", "::ffff:192.0.2.1". Family 0: "none". */
void p2_address_format(const struct p2_address *address, char text[P2_ADDRESS_TEXT]);
/* Either family, and nothing before or behind it. False, and the address as it was: text is none. */
bool p2_address_parse(struct p2_address *address, const char *text);

#ifdef __cplusplus
}
#endif
#endif
