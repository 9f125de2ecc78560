/* What main mode and aggressive mode share (RFC 2409 section 5, pre-shared keys): the SA payload and why it
 * is refused, KE and nonce, identities, HASH_I and HASH_R, keys, vendor IDs, and what becomes of the end.
 *
 * Functions named read_... look at ex->payloads, the message in the inbox; those that return a verdict have
 * dropped or refused it unless that is P2_VERDICT_GOOD. Functions named add_... append to a message. */
#ifndef P2_PHASE1_H
#define P2_PHASE1_H

#include "internal.h"

const struct p2_phase1_policy *p2_phase1_policy_of(const struct p2_exchange *ex);

const struct p2_group_info *p2_phase1_group_of(const struct p2_exchange *ex);

/* Tells the peer in clear if detail->notify is set, and fails. */
enum p2_verdict p2_phase1_refuse(struct p2_exchange *ex, const struct p2_failure_detail *detail);

/* --- the SA payload (phase1_offer.c) --- */

/* The initiator's one transform, or what the responder chose, as it came (RFC 2408 section 4.2). */
void p2_phase1_add_sa(struct p2_exchange *ex, struct p2_message *message);
/* The first transform that the policy accepts; else NO-PROPOSAL-CHOSEN names the field in which the best one
 * differs. The shorter lifetime wins, each end for itself. */
enum p2_verdict p2_phase1_read_sa(struct p2_exchange *ex);
/* "aes-128-cbc, sha1, group14, pre-shared-key" */
void p2_phase1_format_policy(const struct p2_phase1_policy *policy, char *text, size_t size);

/* --- vendor IDs: RFC 3706 section 5.1 and RFC 3947 section 3.1 --- */

void p2_phase1_add_vendors(struct p2_exchange *ex, struct p2_message *message);
void p2_phase1_read_vendors(struct p2_exchange *ex);

/* --- KE, nonce, keys, proofs (phase1_keys.c) --- */

/* Draws our Diffie-Hellman values and our nonce. */
enum p2_verdict p2_phase1_generate(struct p2_exchange *ex);
void p2_phase1_add_ke(struct p2_exchange *ex, struct p2_message *message);
enum p2_verdict p2_phase1_read_ke(struct p2_exchange *ex);
/* Everything that follows from g^xy: SKEYID, SKEYID_d, _a, _e and the first IV. */
enum p2_verdict p2_phase1_derive(struct p2_exchange *ex);

/* HASH_I of an initiator, HASH_R of a responder. */
void p2_phase1_add_hash(struct p2_exchange *ex, struct p2_message *message);
/* The peer's, of the identity that it gave. */
bool p2_phase1_verify_hash(struct p2_exchange *ex);

/* --- identities (phase1_identity.c) --- */

/* The body of our ID payload: our own address. Its length. */
size_t p2_phase1_own_id(const struct p2_exchange *ex, uint8_t id[P2_SELECTOR_ID_MAX]);
void p2_phase1_add_id(struct p2_exchange *ex, struct p2_message *message);
/* Keeps the peer's identity. Malformed without one. */
enum p2_verdict p2_phase1_read_id(struct p2_exchange *ex);
/* It must be what remote_id says. A responder may find that it speaks with another peer of the same address:
 * in aggressive mode any one, in main mode one with the same key and algorithms, for those were used. */
enum p2_verdict p2_phase1_check_id(struct p2_exchange *ex);
/* INITIAL-CONTACT, if the policy says so and no SA with the peer is there. */
void p2_phase1_add_contact(struct p2_exchange *ex, struct p2_message *message);
void p2_phase1_read_contact(struct p2_exchange *ex);
size_t p2_phase1_contact_len(const struct p2_exchange *ex);

/* --- how it ends --- */

/* Both ends authenticated. The last ciphertext block of Phase 1 is where every later IV comes from. */
enum p2_verdict p2_phase1_established(struct p2_exchange *ex);

/* Of both kinds. */
void p2_phase1_failed(struct p2_exchange *ex);
void p2_phase1_explain(const struct p2_exchange *ex, struct p2_failure_detail *detail);

/* What the peer's error notify in clear means to this exchange: its end while there are no keys, else no more
 * than a hint that may explain a later timeout, since anybody may have sent it. False: only a hint, or
 * nothing. */
bool p2_phase1_notified(struct p2_exchange *ex, uint16_t notify);

/* --- what it costs --- */

void p2_phase1_work_generate(struct p2_exchange *ex, struct p2_work *work);
void p2_phase1_work_derive(struct p2_exchange *ex, struct p2_work *work);
/* HASH_I or HASH_R once. */
void p2_phase1_work_hash(struct p2_exchange *ex, struct p2_work *work);
/* Encryption or decryption of a message with so many bytes of payloads. */
void p2_phase1_work_cipher(struct p2_exchange *ex, struct p2_work *work, enum p2_operation direction,
                           size_t len);
/* Two NAT-D payloads made and two compared. */
void p2_phase1_work_nat(struct p2_exchange *ex, struct p2_work *work);

#endif
