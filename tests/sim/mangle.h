/* What an attacker does to an IP packet with ESP or AH in it. No keys are needed for any of this. */
#ifndef P2_TESTS_MANGLE_H
#define P2_TESTS_MANGLE_H

#include "check.h"

enum mangle_kind {
    MANGLE_NOTHING, /* the packet as it was: a replay */
    MANGLE_BITS,    /* one to eight bits flipped from the SPI on */
    MANGLE_CUT,     /* its end is missing */
    MANGLE_GROW,    /* bytes are added to it */
    MANGLE_SPI,     /* another SPI, that of another SA or of none */
    MANGLE_NUMBER,  /* another sequence number: higher by little, by much, or zero */
    MANGLE_SPLICE,  /* the SPI and number of this one, the rest of another packet */
    MANGLE_HEADER,  /* the outer header: any bit of it */
    MANGLE_NOISE,   /* the SPI, and noise behind it */
    MANGLE_NUM
};

const char *mangle_name(enum mangle_kind kind);

/* Changes a packet of len bytes, which has room for capacity; other is the packet that SPIs and pieces are
 * taken from. Returns the new length. The outer header's length is set to it, but for now and then with CUT
 * and GROW. Nothing is changed if no ESP or AH is found. */
size_t mangle(enum mangle_kind kind, struct test_random *random, uint8_t *packet, size_t len, size_t capacity,
              struct p2_bytes other);

/* Offset of the ESP or AH header; 0: there is none. *protocol: 50 or 51. */
size_t mangle_ipsec_at(const uint8_t *packet, size_t len, uint8_t *protocol);

#endif
