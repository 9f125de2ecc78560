/* What the files of Quick Mode share: quick_mode.c holds its table, quick_read.c reads messages 1 and 2 and
 * refuses them, quick_build.c builds messages and says what they cost. */
#ifndef P2_QUICK_H
#define P2_QUICK_H

#include "internal.h"

static inline struct p2_bytes p2_quick_nonce_i(const struct p2_exchange *ex)
{
    return (struct p2_bytes){ex->u.quick.nonce_i, ex->u.quick.nonce_i_len};
}

static inline struct p2_bytes p2_quick_nonce_r(const struct p2_exchange *ex)
{
    return (struct p2_bytes){ex->u.quick.nonce_r, ex->u.quick.nonce_r_len};
}

/* What the SA payloads of this exchange depend on. */
struct p2_offer_context p2_quick_context(const struct p2_exchange *ex);

/* Decryption and HASH(1) or, with Ni, HASH(2); until it verified the message may be anybody's. */
enum p2_verdict p2_quick_open(struct p2_exchange *ex, const struct p2_bytes *ni);
/* What the opened message 1 or 2 says goes into the exchange, or the message is refused with its notify. */
enum p2_verdict p2_quick_read_1(struct p2_exchange *ex);
enum p2_verdict p2_quick_read_2(struct p2_exchange *ex);
/* The crypto library, the peer's value or the key that follows from it was no good. */
enum p2_verdict p2_quick_fail_crypto(struct p2_exchange *ex, int error);

/* Messages 1 and 2, complete but for HASH; the KE value may still be missing, which changes no length. */
void p2_quick_build(struct p2_exchange *ex, struct p2_message *m, uint8_t *buffer, size_t capacity);
/* CONNECTED: HDR*, HASH(1), N, as an informational message under the Quick Mode's own message ID. */
void p2_quick_build_connected(struct p2_exchange *ex, struct p2_message *m, uint8_t *buffer, size_t capacity);

void p2_quick_work_verify(struct p2_exchange *ex, struct p2_work *work);
void p2_quick_work_message_1(struct p2_exchange *ex, struct p2_work *work);
void p2_quick_work_message_2(struct p2_exchange *ex, struct p2_work *work);
void p2_quick_work_message_3(struct p2_exchange *ex, struct p2_work *work);
void p2_quick_work_connected(struct p2_exchange *ex, struct p2_work *work);

#endif
