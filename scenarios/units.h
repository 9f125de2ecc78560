/* Values as people write them: "20ms", "100Mbps", "0.1%", "25/s", "10.1.0.0/24", "fd00::/8".
 *
 * All of it is decimal arithmetic on integers, so that a scenario means the same on every machine and in
 * every locale. Each parser takes the whole text and returns false, leaving `out` alone, if it is anything
 * else. */
#ifndef P2_SCENARIO_UNITS_H
#define P2_SCENARIO_UNITS_H

#include "selector.h"

/* What follows a number, and how many of the result's units it stands for. */
struct units_suffix {
    const char *text;
    uint64_t factor;
};

/* Number and suffix, rounded to the nearest whole result. The table ends with a NULL text. */
bool units_scaled(const char *text, const struct units_suffix *suffixes, uint64_t *out);

bool units_time(const char *text, p2_time *out);        /* "1.5ms": nanoseconds */
bool units_picoseconds(const char *text, int64_t *out); /* "1.27ns" */
bool units_rate(const char *text, uint64_t *out);       /* "100Mbps": bit/s; not 0 */
bool units_size(const char *text, uint32_t *out);       /* "1400B" */
bool units_count(const char *text, uint32_t *out);      /* "1000" */
bool units_number(const char *text, uint64_t *out);     /* "4294944442" */
bool units_decimal(const char *text, double *out);      /* "0.95" */
bool units_permille(const char *text, uint32_t *out);   /* "80%" */
bool units_probability(const char *text, double *out);  /* "0.1%": 0..1 */
bool units_interval(const char *text, p2_time *out);    /* "25/s": time between two of them */
bool units_kilobytes(const char *text, uint32_t *out);  /* "4608KB", "4MB": units of 1,024 bytes; not 0 */

/* A DSCP by its name or number: be, le (RFC 8622), cs0 to cs7 (RFC 2474), af11 to af43 (RFC 2597), ef (RFC
 * 3246), va (RFC 5865), 0 to 63. */
bool units_dscp(const char *text, uint8_t *out);
/* Several, separated by white space: bit n stands for DSCP n. */
bool units_dscps(const char *text, uint64_t *out);

/* Addresses that are counted on, in units_address.c; how they are written is model/selector.h's matter. */

/* 32 or 128. */
uint8_t units_address_bits(const struct p2_address *address);
/* Clears what stands behind the prefix. */
void units_address_mask(struct p2_address *address, uint8_t prefix_len);
/* address += count << shift. False: past the last address; `address` is then of no use. */
bool units_address_add(struct p2_address *address, uint64_t count, unsigned shift);

#endif
