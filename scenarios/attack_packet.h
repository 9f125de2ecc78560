/* Packets in an attacker's hands: what one can tell of them without keys, and what one can make of them.
 *
 * RFC 4303 section 2, RFC 4302 section 2, RFC 2408 section 3.1, RFC 3948 section 2. Packets are whole IP
 * packets, IPv4 or IPv6; what is made of one has right lengths and checksums again. */
#ifndef P2_SCENARIO_ATTACK_PACKET_H
#define P2_SCENARIO_ATTACK_PACKET_H

#include "scenario.h"

#define ATTACK_PACKET_MAX 65535

struct attack_view {
    unsigned protocol;      /* SCENARIO_ATTACK_ESP, _AH, _IKE, or 0: something else */
    bool is_fragment;       /* of IPsec: of others nothing can be told; spi and sequence are then 0 */
    size_t at;              /* offset of the ESP, AH or ISAKMP header */
    uint32_t spi, sequence; /* of ESP and AH */
};

struct attack_view attack_look(const uint8_t *packet, size_t len);

/* Exchanges source and destination, of UDP the ports too: the packet is now one for its sender. */
void attack_reflect(uint8_t *packet, size_t len);

/* Where an attacker's random choices come from. */
struct attack_random {
    void (*fill)(void *ctx, uint8_t *out, size_t len);
    void *ctx;
};

/* Makes a forged packet of an ESP or AH packet that is no fragment; out: ATTACK_PACKET_MAX bytes. newest: the
 * newest number seen under its SPI. Returns the length. */
size_t attack_forge(uint8_t *out, const uint8_t *packet, size_t len, enum scenario_attack_method method,
                    uint32_t newest, struct attack_random random);
/* Makes a Quick Mode's first message with random content under the cookies of an IKE packet, between the same
 * addresses and ports. Returns the length; 0: it is none. */
size_t attack_bad_hash(uint8_t *out, const uint8_t *packet, size_t len, struct attack_random random);

#endif
