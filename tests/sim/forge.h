/* What an attacker does to an IP packet with ESP or AH in it. No keys are needed for any of this. */
#ifndef P2_TESTS_FORGE_H
#define P2_TESTS_FORGE_H

#include "check.h"

enum forge_kind {
    FORGE_NOTHING, /* the packet as it was: a replay */
    FORGE_BITS,    /* one to eight bits flipped from the SPI on */
    FORGE_CUT,     /* its end is missing */
    FORGE_GROW,    /* bytes are added to it */
    FORGE_SPI,     /* another SPI, that of another SA or of none */
    FORGE_NUMBER,  /* another sequence number: higher by little, by much, or zero */
    FORGE_SPLICE,  /* the SPI and number of this one, the rest of another packet */
    FORGE_HEADER,  /* the outer header: any bit of it */
    FORGE_NOISE,   /* the SPI, and noise behind it */
    FORGE_NUM
};

const char *forge_name(enum forge_kind kind);

/* Changes a packet of len bytes, which has room for capacity; other is the packet that SPIs and pieces are
 * taken from. Returns the new length. The outer header's length is set to it, but for now and then with CUT
 * and GROW. Nothing is changed if no ESP or AH is found. */
size_t forge(enum forge_kind kind, struct test_random *random, uint8_t *packet, size_t len, size_t capacity,
             struct p2_bytes other);

/* Offset of the ESP or AH header; 0: there is none. *protocol: 50 or 51. */
size_t forge_ipsec_at(const uint8_t *packet, size_t len, uint8_t *protocol);

#endif
