/* Work: what a computation will do, said before it is done, so that the host can price it.
 *
 * A discrete-event simulator gives code no time at all; Diffie-Hellman would look free. The core therefore
 * names the operations of each message step and waits until the host's CPU model says that they are over. */
#ifndef P2_WORK_H
#define P2_WORK_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum p2_operation {
    P2_OP_DH_GENERATE, /* algorithm: enum p2_group; quantity 1 */
    P2_OP_DH_DERIVE,   /* algorithm: enum p2_group; quantity 1 */
    P2_OP_HMAC,        /* algorithm: enum p2_hash; one keyed computation over so many bytes */
    P2_OP_HASH,        /* algorithm: enum p2_hash; a plain digest over so many bytes */
    P2_OP_ENCRYPT,     /* algorithm: enum p2_cipher; so many bytes */
    P2_OP_DECRYPT,     /* algorithm: enum p2_cipher; so many bytes */
    P2_NUM_OPERATIONS
};

#define P2_MAX_ALGORITHMS 32 /* every algorithm number above is smaller */

struct p2_work_item {
    uint8_t operation; /* enum p2_operation */
    uint8_t algorithm;
    uint16_t times; /* how many such computations */
    uint32_t bytes; /* length of each; 0 where the operation has none */
};

#define P2_WORK_MAX 12

struct p2_work {
    size_t num_items;
    struct p2_work_item items[P2_WORK_MAX];
};

/* Adds one line of work; asserts that it fits. */
void p2_work_add(struct p2_work *work, enum p2_operation op, unsigned algorithm, size_t times, size_t bytes);

/* "dh-generate", "dh-derive", "hmac", "hash", "encrypt", "decrypt": the names in CPU profiles. */
const char *p2_operation_name(enum p2_operation op);
/* P2_NUM_OPERATIONS if unknown. */
enum p2_operation p2_operation_by_name(const char *name);
/* The name of an algorithm as the operation understands it ("group14", "sha1", "aes-128-cbc"); NULL: no such
 * row, as for the cipher NULL, which leaves the bytes alone. */
const char *p2_operation_algorithm(enum p2_operation op, unsigned algorithm);

#ifdef __cplusplus
}
#endif
#endif
