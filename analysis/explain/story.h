/* What is told of a capture, in sentences: the same for every form of output. */
#ifndef P2_EXPLAIN_STORY_H
#define P2_EXPLAIN_STORY_H

#include "explanation.h"
#include "lines.h"

/* Who proposed what, what was chosen and by which rule; or what was refused, and what both sides wanted; or
 * what is missing. */
void story_of_quick_mode(const struct explanation *e, size_t exchange, struct lines *lines);
/* What an exchange of another kind said (Phase 1, notifies, deletes). */
void story_of_exchange(const struct explanation *e, size_t exchange, struct lines *lines);
/* The first field in which a refused offer differs from what the other end is known to want from elsewhere in
 * the capture. */
void story_of_refusal(const struct explanation *e, size_t exchange, struct lines *lines);
/* "esp aes-128-cbc hmac-sha1-96, tunnel mode, no PFS, 3600 s": a line for each proposal of an SA payload of
 * Phase 2, or one for a choice. */
void story_of_offer(const struct p2_isakmp_sa_payload *sa, struct lines *lines);
/* The same of one transform. */
void story_transform(const struct p2_isakmp_transform *t, char *text, size_t size);
/* The SA payload of message 1 (part 0) or 2 of a Quick Mode; false: it is not there, or does not parse. */
bool story_read_sa(const struct explanation *e, const struct explain_exchange *x, size_t part,
                   struct p2_isakmp_sa_payload *sa);
/* Phase 1 as far as it is in the capture: who began, algorithms, identities, how far it got. */
void story_of_phase1(const struct explanation *e, size_t exchange, struct lines *lines);
/* What is missing or odd in the capture as a whole. */
void story_of_capture(const struct explanation *e, struct lines *lines);

/* "HASH, SA, Ni, KE, IDci, IDcr": the payloads of a message. */
void story_payloads(const struct explanation *e, const struct explain_message *m, char *text, size_t size);
/* "main mode", "Quick Mode 2", "informational". */
void story_message_name(const struct explanation *e, const struct explain_message *m, char *text,
                        size_t size);
/* Whether something came back between a message and its copy, or ever. */
bool story_was_answered(const struct explanation *e, const struct explain_message *m, p2_time until);

#endif
