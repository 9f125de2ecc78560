/* Selectors: which traffic a Phase 2 SA carries, and their form as ID payloads (proxy IDs).
 *
 * RFC 2407 section 4.6.2 (ID types), RFC 2409 section 5.5 (IDci, IDcr), RFC 4301 section 4.4.1. */
#ifndef P2_SELECTOR_H
#define P2_SELECTOR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A prefix or a range of addresses, with protocol and port (0: any). A single address is a prefix of full
 * length. */
struct p2_selector {
    struct p2_address address; /* of a prefix, host bits zero; of a range, its first one */
    uint8_t prefix_len;        /* not for a range */
    uint8_t protocol;
    uint16_t port;
    bool is_range;
    struct p2_address last; /* of a range: included, not below `address`, same family */
};

/* An IPv4 prefix, the address in host byte order: p2_selector_v4(0x0a010000, 16) is 10.1.0.0/16. */
static inline struct p2_selector p2_selector_v4(uint32_t host_order, uint8_t prefix_len)
{
    struct p2_selector selector = {p2_address_v4(host_order), prefix_len, 0, 0, false, {0, {0}}};
    return selector;
}

#define P2_SELECTOR_TEXT 64

/* "10.1.0.0/24" */
void p2_selector_format(const struct p2_selector *selector, char text[P2_SELECTOR_TEXT]);
/* "10.1.0.0/24 to 10.0.0.0/24": a pair of proxy IDs, cut to size if it must be. */
void p2_selector_format_pair(const struct p2_selector *from, const struct p2_selector *to, char *text,
                             size_t size);
bool p2_selector_equal(const struct p2_selector *a, const struct p2_selector *b);
bool p2_selector_contains(const struct p2_selector *selector, const struct p2_address *address);

#define P2_SELECTOR_ID_MAX 36
/* The body of an ID payload (after the generic header): ID type, protocol, port, data. Returns its length. */
size_t p2_selector_to_id(const struct p2_selector *selector, uint8_t out[P2_SELECTOR_ID_MAX]);
/* P2_OK, or P2_ERR_MALFORMED: a type this build does not know, a wrong length, a mask with holes. */
int p2_selector_from_id(struct p2_selector *selector, const uint8_t *body, size_t len) P2_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
