/* What every byte of a packet is: a list of fields in order, each with its name, its section of an RFC, where
 * it is and what it says. IP, UDP, ISAKMP with all payloads of IKEv1, ESP and AH.
 *
 * It never fails: what does not parse becomes a field that says so, and the list goes on behind it as well as
 * it can. Leaves (fields without children) cover every byte once. */
#ifndef P2_EXPLAIN_DISSECT_H
#define P2_EXPLAIN_DISSECT_H

#include "base.h"

#define DISSECT_TEXT 160

enum dissect_where {
    DISSECT_PACKET, /* offsets count from the IP header */
    DISSECT_PLAIN,  /* from the first byte of what was decrypted */
};

struct dissect_field {
    uint8_t depth; /* 0: header of a layer; children follow their parent and are one deeper */
    bool leaf;
    enum dissect_where where;
    size_t offset, len;      /* bytes; 0 bytes: a remark, such as of what is missing */
    const char *name;        /* "Initiator cookie"; a literal */
    const char *filter;      /* Wireshark's name of the field, "isakmp.ispi"; NULL: it has none; a literal */
    const char *section;     /* "RFC 2408 section 3.1"; a literal; NULL with a remark only */
    char text[DISSECT_TEXT]; /* what it means: "Quick Mode (32)", "10.1.0.0", "128 bits"; bytes in hex if
                                nothing better, cut with "..." */
};

struct dissection {
    struct dissect_field *fields;
    size_t num, capacity;
    bool out_of_memory;
};

struct dissect_input {
    struct p2_bytes packet; /* from the IP header */
    /* ISAKMP: the payloads with the padding behind them. ESP: the payload data, and behind it esp_trailer_len
     * bytes of padding, pad length and next header. Empty: it was not encrypted, or could not be decrypted.
     */
    struct p2_bytes plain;
    /* ESP under an SA that is known: */
    bool esp_known;
    size_t esp_iv_len, esp_icv_len;
    size_t esp_trailer_len; /* 0: it is not told */
    uint8_t esp_next_header;
};

/* Replaces what is in the list. A zeroed dissection is an empty one. */
void dissect(struct dissection *dissection, const struct dissect_input *input);
/* One ISAKMP message alone: offsets count from its header. */
void dissect_isakmp(struct dissection *dissection, struct p2_bytes message, struct p2_bytes plain);
void dissection_cleanup(struct dissection *dissection);

/* Names of numbers, for whoever tells of them; unknown ones become "payload 77" in the buffer.
 * Buffers: at least DISSECT_TEXT bytes; the result may be the buffer or a literal. */
const char *isakmp_payload_name(uint8_t type, char *buffer);                   /* "SA", "Vendor ID" */
const char *isakmp_exchange_name(uint8_t type, char *buffer);                  /* "Quick Mode" */
const char *isakmp_notify_name(uint16_t type, char *buffer);                   /* "NO-PROPOSAL-CHOSEN" */
const char *isakmp_protocol_name(uint8_t protocol, char *buffer);              /* "esp" */
const char *isakmp_transform_name(uint8_t protocol, uint8_t id, char *buffer); /* "ESP_AES" */
/* phase 1: RFC 2409 appendix A; 2: RFC 2407 section 4.5. */
const char *isakmp_attribute_name(int phase, uint16_t type, char *buffer); /* "Key Length" */
const char *isakmp_attribute_value(int phase, uint16_t type, uint64_t value,
                                   char *buffer); /* "HMAC-SHA (2)" */
/* What a vendor ID stands for: "Dead Peer Detection (RFC 3706)"; NULL: not known. Prefixes count where
 * vendors put versions behind them. */
const char *isakmp_vendor_name(struct p2_bytes id);
/* The body of an ID payload: "10.1.0.0/16", "vpn.example (FQDN)", "10.0.0.1 udp port 500". */
const char *isakmp_id_text(struct p2_bytes body, char *buffer);

#endif
