/* What is missing or odd in a capture as a whole: a line each. */
#include "story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void tell_frames(const struct explanation *e, struct lines *lines)
{
    if (e->broken[0])
        lines_add(lines, "The capture breaks off: %s. What is before is explained.", e->broken);
    if (e->frames.frames == 0 && !e->broken[0])
        lines_add(lines, "The capture is empty.");
    uint64_t foreign = e->foreign + e->frames.not_ip + e->frames.malformed_ip;
    if (foreign > 0)
        lines_add(lines, "%" PRIu64 " of %" PRIu64 " frames are neither IKE nor IPsec, and left alone.",
                  foreign, e->frames.frames);
    if (e->frames.incomplete > 0)
        lines_add(lines, "%" PRIu64 " fragmented packets lack a piece.", e->frames.incomplete);
    if (e->ikev2 > 0)
        lines_add(lines, "%" PRIu64 " messages are IKEv2, which is not explained here.", e->ikev2);
    if (e->not_isakmp > 0)
        lines_add(lines, "%" PRIu64 " datagrams on IKE's ports are not ISAKMP.", e->not_isakmp);
    size_t broken = 0;
    for (size_t k = 0; k < e->num_messages; k++)
        broken += e->messages[k].reading == EXPLAIN_BROKEN;
    if (broken > 0)
        lines_add(
            lines,
            "%zu ISAKMP messages are shorter than they say: cut by the capture (snap length), or changed.",
            broken);
    if (e->beyond_limits > 0)
        lines_add(lines,
                  "%" PRIu64
                  " ISAKMP messages are more than are kept (%d): the later ones were only counted.",
                  e->beyond_limits, EXPLAIN_MAX_MESSAGES);
}

static void tell_isakmp(const struct explain_isakmp *i, struct lines *lines)
{
    char name[40];
    uint64_t cookie = p2_get_u64(i->initiator_cookie), responder = p2_get_u64(i->responder_cookie);
    snprintf(name, sizeof name, "%016" PRIx64 " %016" PRIx64, cookie, responder);
    if (i->known == EXPLAIN_NONE)
        lines_add(lines, "ISAKMP SA %s: no keys are given for it, so only what is in clear is explained.",
                  name);
    else if (!i->can_decrypt)
        lines_add(
            lines,
            "ISAKMP SA %s: its keys do not decrypt: that takes SKEYID_e (or Wireshark's key), and the cipher "
            "and hash from the keys or from a Phase 1 in the capture.",
            name);
    else if (i->nonsense > 0 && i->opened == 0)
        lines_add(
            lines,
            "ISAKMP SA %s: nothing decrypts with the keys that are given: SKEYID_e, cipher or IV is wrong.",
            name);
    else if (i->nonsense > 0)
        lines_add(lines,
                  "ISAKMP SA %s: of %zu messages %zu do not decrypt: changed, forged, or one before them is "
                  "missing.",
                  name, i->opened + i->nonsense, i->nonsense);
    if (i->can_decrypt && !i->can_verify)
        lines_add(lines, "ISAKMP SA %s: without SKEYID_a no HASH is checked.", name);
    if (i->iv_differs)
        lines_add(lines, "ISAKMP SA %s: the IV that is given is not what Phase 1 ends with here.", name);
    if (!i->initiator_known && i->initiator.family != 0)
        lines_add(
            lines,
            "ISAKMP SA %s: Phase 1 is not in the capture; who starts the first Quick Mode is taken for its "
            "initiator.",
            name);
}

static void tell_ipsec(const struct explanation *e, struct lines *lines)
{
    if (e->ipsec.unknown_spi > 0)
        lines_add(lines,
                  "%" PRIu64
                  " IPsec packets are under SPIs that no Quick Mode in the capture made readable and no "
                  "key is given for.",
                  e->ipsec.unknown_spi);
    if (e->ipsec.no_keys > 0)
        lines_add(lines,
                  "%" PRIu64
                  " IPsec packets of negotiated SAs could not be verified: no keys, or cut by the capture.",
                  e->ipsec.no_keys);
    if (e->ipsec.no_icv > 0)
        lines_add(lines, "%" PRIu64 " IPsec packets are authenticated by nothing.", e->ipsec.no_icv);
    if (e->ipsec.icv_bad > 0)
        lines_add(lines, "%" PRIu64 " IPsec packets have a bad ICV: changed, forged, or the keys are others.",
                  e->ipsec.icv_bad);
}

void story_of_capture(const struct explanation *e, struct lines *lines)
{
    enum { MAX_TOLD = 64 };
    tell_frames(e, lines);
    for (size_t k = 0; k < e->num_isakmps && k < MAX_TOLD; k++)
        tell_isakmp(&e->isakmps[k], lines);
    if (e->num_isakmps > MAX_TOLD)
        lines_add(lines, "And %zu ISAKMP SAs more.", e->num_isakmps - MAX_TOLD);
    tell_ipsec(e, lines);
}
