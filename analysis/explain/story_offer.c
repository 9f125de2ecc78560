/* What an SA payload of Phase 2 offers, in words. */
#include "story.h"

#include "dissect.h"
#include "offer_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void format_lifetime(const struct p2_transform_reading *r, char *text, size_t size)
{
    char kb[48] = "";
    if (r->kilobytes > 0)
        snprintf(kb, sizeof kb, "%s%" PRIu64 " KB", r->seconds > 0 ? " and " : "", r->kilobytes);
    if (r->seconds > 0)
        snprintf(text, size, "%" PRIu64 " s%s", r->seconds, kb);
    else
        snprintf(text, size, "%s", r->kilobytes > 0 ? kb : "lifetime not told (28800 s)");
}

static const char *mode_name(uint64_t mode)
{
    static const char *const names[] = {"mode not told", "tunnel mode", "transport mode",
                                        "tunnel mode in UDP", "transport mode in UDP"};
    if (mode == 61443 || mode == 61444)
        mode -= 61440;
    return mode < sizeof names / sizeof names[0] ? names[mode] : "a mode nobody knows";
}

static void format_algorithms(const struct p2_isakmp_transform *t, const struct p2_transform_reading *r,
                              char *text, size_t size)
{
    char buffer[DISSECT_TEXT], encryption[64], authentication[64];
    p2_transform_name_encryption(t, r, encryption, sizeof encryption);
    p2_transform_name_authentication(t, r, authentication, sizeof authentication);
    bool esp = t->protocol == P2_PROTO_ESP, none = strcmp(authentication, "none") == 0;
    snprintf(text, size, "%s%s%s%s%s", isakmp_protocol_name(t->protocol, buffer), esp ? " " : "",
             esp ? encryption : "", none ? "" : " ", none ? "" : authentication);
}

void story_transform(const struct p2_isakmp_transform *t, char *text, size_t size)
{
    struct p2_transform_reading r = p2_transform_read(t->attributes, 0);
    char algorithms[160], group[24], lifetime[96];
    format_algorithms(t, &r, algorithms, sizeof algorithms);
    explain_group_name((uint16_t)r.group, group, sizeof group);
    format_lifetime(&r, lifetime, sizeof lifetime);
    snprintf(text, size, "%s, %s, %s%s, %s%s", algorithms, mode_name(r.mode),
             r.group == 0 ? "no PFS" : "PFS ", r.group == 0 ? "" : group, lifetime,
             r.esn == P2_ESN_64_BITS ? ", extended sequence numbers" : "");
}

void story_of_offer(const struct p2_isakmp_sa_payload *sa, struct lines *lines)
{
    for (size_t i = 0; i < sa->num; i++) {
        const struct p2_isakmp_transform *t = &sa->transforms[i];
        bool with_last = i > 0 && sa->transforms[i - 1].proposal_number == t->proposal_number &&
                         sa->transforms[i - 1].proposal != t->proposal;
        char text[400];
        story_transform(t, text, sizeof text);
        lines_add(lines, "%sproposal %u, transform %u: %s", with_last ? "with " : "", t->proposal_number,
                  t->number, text);
    }
}
