/* The explanation as people read it: ladders, stories, SAs, and what is missing. */
#include "write.h"

#include "dissect.h"
#include "figure_text.h"
#include "story.h"
#include "text_layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 107 };

static void title(FILE *out, const struct explain_options *options, const char *text)
{
    text_styled(out, options->colour, TEXT_BOLD, text);
    fputc('\n', out);
}

/* --- the capture as a whole --- */

/* "3 Quick Modes: 2 established, 1 rejected." */
static void write_outcomes(FILE *out, const struct explanation *e)
{
    size_t quick = 0, outcomes[EXPLAIN_UNDECRYPTABLE + 1] = {0};
    for (size_t i = 0; i < e->num_exchanges; i++) {
        if (e->exchanges[i].quick) {
            quick++;
            outcomes[explain_outcome(e, &e->exchanges[i])]++;
        }
    }
    fprintf(out, "%zu Quick Mode%s", quick, quick == 1 ? "" : "s");
    const char *separator = ": ";
    for (int k = 0; k <= EXPLAIN_UNDECRYPTABLE; k++) {
        if (outcomes[k] == 0)
            continue;
        fprintf(out, "%s%zu %s", separator, outcomes[k], explain_outcome_name((enum explain_outcome)k));
        separator = ", ";
    }
    fputs(".\n", out);
}

static void write_ipsec(FILE *out, const struct explanation *e)
{
    const struct explain_ipsec_counts *c = &e->ipsec;
    char text[512];
    snprintf(text, sizeof text,
             "%" PRIu64 " IPsec packets: %" PRIu64 " ICVs good, %" PRIu64 " bad, %" PRIu64
             " packets under unknown SPIs. A replay window of %" PRIu32 " packets would reject %" PRIu64
             " as replayed and %" PRIu64 " as too old.",
             c->packets, c->icv_ok, c->icv_bad, c->unknown_spi, e->window_width, c->replayed, c->too_old);
    text_wrap(out, text, WIDTH, 0, 0);
}

static void write_head(FILE *out, const struct explanation *e, const struct explain_options *options)
{
    title(out, options, options->file);
    fprintf(out, "%" PRIu64 " frames, %" PRIu64 " ISAKMP messages. ", e->frames.frames, e->isakmp_messages);
    write_outcomes(out, e);
    if (e->ipsec.packets > 0)
        write_ipsec(out, e);
}

static int write_lines(FILE *out, struct lines *lines, const char *mark, size_t indent)
{
    for (size_t i = 0; i < lines->num; i++) {
        bool item = strncmp(lines->list[i], "proposal ", 9) == 0 ||
                    strncmp(lines->list[i], "with proposal ", 14) == 0;
        fprintf(out, "%*s%s", (int)(indent + (item ? 2 : 0)), "", mark);
        text_wrap(out, lines->list[i], WIDTH - indent - strlen(mark), 0,
                  indent + strlen(mark) + (item ? 4 : 2));
    }
    int r = lines->out_of_memory ? P2_ERR_NOMEM : P2_OK;
    lines_cleanup(lines);
    return r;
}

static int write_notes(FILE *out, const struct explanation *e, const struct explain_options *options)
{
    struct lines notes = {0};
    story_of_capture(e, &notes);
    if (notes.num > 0) {
        fputc('\n', out);
        title(out, options, "What is missing or odd");
    }
    return write_lines(out, &notes, "- ", 0);
}

/* --- ladders --- */

static int write_ladders(FILE *out, const struct explanation *e, const struct explain_options *options)
{
    enum { MAX_LADDERS = 100 };
    size_t written = 0, more = 0;
    for (size_t i = 0; i < e->num_pairs; i++) {
        const struct explain_pair *p = &e->pairs[i];
        if (p->first_event == EXPLAIN_NONE)
            continue;
        if (written == MAX_LADDERS) {
            more++;
            continue;
        }
        char left[P2_ADDRESS_TEXT], right[P2_ADDRESS_TEXT], text[128];
        p2_address_format(&p->peer[0], left);
        p2_address_format(&p->peer[1], right);
        snprintf(text, sizeof text, "%s and %s", left, right);
        fputc('\n', out);
        title(out, options, text);
        if (explain_write_ladder(out, e, i, options) < 0)
            return P2_ERR_NOMEM;
        written++;
    }
    if (more > 0)
        fprintf(out, "\nand %zu pairs of addresses more\n", more);
    return P2_OK;
}

/* --- stories --- */

static void write_outcome(FILE *out, const struct explanation *e, const struct explain_exchange *x,
                          const struct explain_options *options)
{
    enum explain_outcome outcome = explain_outcome(e, x);
    char name[DISSECT_TEXT], text[DISSECT_TEXT + 32];
    snprintf(text, sizeof text, "%s%s%s", explain_outcome_name(outcome), x->notify ? ": " : "",
             x->notify ? isakmp_notify_name(x->notify, name) : "");
    text_styled(out, options->colour, outcome == EXPLAIN_ESTABLISHED ? TEXT_GOOD : TEXT_BAD, text);
}

static int write_quick_mode(FILE *out, const struct explanation *e, size_t exchange,
                            const struct explain_options *options)
{
    const struct explain_exchange *x = &e->exchanges[exchange];
    struct lines lines = {0};
    fprintf(out, "\nQuick Mode %08" PRIx32 ", %u message%s, %.6f to %.6f s: ", x->message_id, x->messages,
            x->messages == 1 ? "" : "s", explain_since(e, x->began), explain_since(e, x->ended));
    write_outcome(out, e, x, options);
    fputc('\n', out);
    story_of_quick_mode(e, exchange, &lines);
    return write_lines(out, &lines, "", 2);
}

static int write_other(FILE *out, const struct explanation *e, size_t exchange)
{
    const struct explain_exchange *x = &e->exchanges[exchange];
    char name[DISSECT_TEXT];
    struct lines lines = {0};
    fprintf(out, "\n%s %08" PRIx32 ", %u message%s, %.6f s\n", isakmp_exchange_name(x->type, name),
            x->message_id, x->messages, x->messages == 1 ? "" : "s", explain_since(e, x->began));
    story_of_exchange(e, exchange, &lines);
    return write_lines(out, &lines, "", 2);
}

static int write_phase1(FILE *out, const struct explanation *e, size_t exchange)
{
    const struct explain_exchange *x = &e->exchanges[exchange];
    const struct explain_isakmp *i = &e->isakmps[x->isakmp];
    char name[DISSECT_TEXT];
    struct lines lines = {0};
    fprintf(out, "\nPhase 1, %s, %016" PRIx64 " %016" PRIx64 ", %u messages, %.6f to %.6f s\n",
            isakmp_exchange_name(x->type, name), p2_get_u64(i->initiator_cookie),
            p2_get_u64(i->responder_cookie), x->messages, explain_since(e, x->began),
            explain_since(e, x->ended));
    story_of_phase1(e, exchange, &lines);
    return write_lines(out, &lines, "", 2);
}

/* A flood of what cannot be read would bury the rest. */
static bool is_buried(const struct explanation *e, const struct explain_exchange *x, size_t *unread,
                      const struct explain_options *options)
{
    enum { MAX_UNREAD = 20 };
    const struct explain_message *m = &e->messages[x->first];
    bool readable = x->quick ? explain_outcome(e, x) != EXPLAIN_UNDECRYPTABLE
                             : m->reading == EXPLAIN_CLEAR || m->reading == EXPLAIN_DECRYPTED;
    if (readable || options->verbose)
        return false;
    (*unread)++;
    return *unread > MAX_UNREAD;
}

static int write_stories(FILE *out, const struct explanation *e, const struct explain_options *options)
{
    int r = P2_OK;
    size_t unread = 0, buried = 0;
    if (e->num_exchanges > 0)
        title(out, options, "Negotiations");
    for (size_t i = 0; i < e->num_exchanges && r == P2_OK; i++) {
        const struct explain_exchange *x = &e->exchanges[i];
        bool phase1 = x->message_id == 0 && x->type != P2_EXCHANGE_INFORMATIONAL;
        if (is_buried(e, x, &unread, options))
            buried++;
        else if (phase1)
            r = write_phase1(out, e, i);
        else
            r = x->quick ? write_quick_mode(out, e, i, options) : write_other(out, e, i);
    }
    if (buried > 0)
        fprintf(out, "\nand %zu exchanges more that cannot be read, which --verbose shows\n", buried);
    return r;
}

/* --- SAs --- */

static void write_key(FILE *out, const char *name, const uint8_t *key, size_t len)
{
    if (len == 0)
        return;
    fprintf(out, "    %-19s ", name);
    for (size_t i = 0; i < len; i++)
        fprintf(out, "%02x", key[i]);
    fputc('\n', out);
}

static void write_lifetime(FILE *out, const struct explanation *e, const struct explain_sa *sa)
{
    if (sa->exchange == EXPLAIN_NONE)
        return;
    fprintf(out, "    made by Quick Mode %08" PRIx32 "; lifetime ", e->exchanges[sa->exchange].message_id);
    if (sa->lifetime_s > 0)
        fprintf(out, "%" PRIu64 " s", sa->lifetime_s);
    if (sa->lifetime_kb > 0)
        fprintf(out, "%s%" PRIu64 " KB", sa->lifetime_s > 0 ? " or " : "", sa->lifetime_kb);
    if (sa->lifetime_s + sa->lifetime_kb == 0)
        fputs("not told: 28800 s (RFC 2407 section 4.5)", out);
    if (sa->deleted != EXPLAIN_NONE)
        fprintf(out, "; deleted at %.6f s, frame %" PRIu64, explain_since(e, e->messages[sa->deleted].at),
                e->messages[sa->deleted].frame);
    fputc('\n', out);
}

static void write_verdicts(FILE *out, const struct explanation *e, const struct explain_sa *sa,
                           const struct explain_options *options)
{
    char text[160];
    if (sa->packets == 0) {
        fputs("    no packets in the capture\n", out);
        return;
    }
    fprintf(out, "    %" PRIu64 " packets, frames %" PRIu64 " to %" PRIu64 ", %.6f to %.6f s: ", sa->packets,
            sa->first_frame, sa->last_frame, explain_since(e, sa->first_at), explain_since(e, sa->last_at));
    if (!sa->has_keys) {
        fputs("no keys to verify or decrypt them\n", out);
        return;
    }
    if (sa->no_icv > 0)
        snprintf(text, sizeof text, "%" PRIu64 " decrypted, authenticated by nothing", sa->no_icv);
    else
        snprintf(text, sizeof text, "%" PRIu64 " ICVs good", sa->icv_ok);
    text_styled(out, options->colour, sa->icv_bad > 0 ? TEXT_PLAIN : TEXT_GOOD, text);
    if (sa->icv_bad > 0) {
        snprintf(text, sizeof text, ", %" PRIu64 " bad (first: frame %" PRIu64 ")", sa->icv_bad,
                 sa->bad_frame);
        text_styled(out, options->colour, TEXT_BAD, text);
    }
    fputc('\n', out);
    if (sa->icv_ok + sa->no_icv == 0)
        return;
    fprintf(out, "    window of %" PRIu32 ": %" PRIu64 " replayed", e->window_width, sa->replayed);
    if (sa->replayed > 0)
        fprintf(out, " (first: frame %" PRIu64 ")", sa->replayed_frame);
    fprintf(out, ", %" PRIu64 " too old, %" PRIu64 " late but inside it; numbers %" PRIu64 " to %" PRIu64,
            sa->too_old, sa->late, sa->first_sequence, sa->top);
    uint64_t fresh = sa->icv_ok + sa->no_icv - sa->replayed - sa->too_old,
             span = sa->top - sa->first_sequence + 1;
    if (sa->first_sequence <= sa->top && span > fresh)
        fprintf(out, ", %" PRIu64 " of them not seen", span - fresh);
    fputc('\n', out);
}

static void write_sa(FILE *out, const struct explanation *e, const struct explain_sa *sa,
                     const struct explain_options *options)
{
    static const char *const modes[] = {"mode not told", "tunnel mode", "transport mode"};
    char source[P2_ADDRESS_TEXT], destination[P2_ADDRESS_TEXT];
    p2_address_format(&sa->source, source);
    p2_address_format(&sa->destination, destination);
    fprintf(out, "\n  SPI %08" PRIx32 ", %s to %s: %s, %s%s", sa->spi, source, destination,
            sa->protocol == P2_PROTO_AH ? "ah" : "esp", modes[sa->mode <= 2 ? sa->mode : 0],
            sa->in_udp ? " in UDP" : "");
    if (sa->protocol == P2_PROTO_ESP)
        fprintf(out, ", %s", sa->encryption);
    fprintf(out, ", %s%s\n", strcmp(sa->authentication, "none") == 0 ? "no HMAC" : sa->authentication,
            sa->esn ? ", extended sequence numbers" : "");
    write_lifetime(out, e, sa);
    if (sa->has_keys) {
        write_key(out, "encryption key", sa->encryption_key, sa->encryption_key_len);
        write_key(out, "authentication key", sa->authentication_key, sa->authentication_key_len);
    }
    write_verdicts(out, e, sa, options);
    if (sa->inside[0])
        fprintf(out, "    the first one holds %s\n", sa->inside);
    if (sa->outside > 0)
        fprintf(out, "    %" PRIu64 " hold what the proxy IDs do not cover (RFC 4301 section 5.2)\n",
                sa->outside);
    if (sa->bad_padding > 0)
        fprintf(out, "    %" PRIu64 " have wrong padding (RFC 4303 section 2.4)\n", sa->bad_padding);
    if (sa->dummies > 0)
        fprintf(out, "    %" PRIu64 " are dummies (RFC 4303 section 2.6)\n", sa->dummies);
}

static void write_unknown(FILE *out, const struct explanation *e, const struct explain_options *options)
{
    enum { MAX_SHOWN = 20 };
    size_t shown = 0, more = 0;
    for (size_t i = 0; i < e->num_sas; i++) {
        const struct explain_sa *sa = &e->sas[i];
        if (sa->exchange != EXPLAIN_NONE || sa->known != EXPLAIN_NONE || sa->packets == 0)
            continue;
        if (shown++ == 0) {
            fputc('\n', out);
            title(out, options, "SPIs without keys");
        }
        char source[P2_ADDRESS_TEXT], destination[P2_ADDRESS_TEXT];
        p2_address_format(&sa->source, source);
        p2_address_format(&sa->destination, destination);
        if (shown <= MAX_SHOWN)
            fprintf(out,
                    "  SPI %08" PRIx32 " (%s), %s to %s: %" PRIu64 " packets, frames %" PRIu64 " to %" PRIu64
                    "\n",
                    sa->spi, sa->protocol == P2_PROTO_AH ? "ah" : "esp", source, destination, sa->packets,
                    sa->first_frame, sa->last_frame);
        else
            more++;
    }
    if (more > 0)
        fprintf(out, "  and %zu more%s\n", more,
                e->num_unknown_spis >= EXPLAIN_MAX_UNKNOWN_SPIS ? ", and others that were not kept" : "");
}

static void write_sas(FILE *out, const struct explanation *e, const struct explain_options *options)
{
    bool any = false;
    for (size_t i = 0; i < e->num_sas; i++) {
        const struct explain_sa *sa = &e->sas[i];
        if (sa->exchange == EXPLAIN_NONE && sa->known == EXPLAIN_NONE)
            continue;
        if (!any) {
            fputc('\n', out);
            title(out, options, "Security associations");
        }
        any = true;
        write_sa(out, e, sa, options);
    }
    write_unknown(out, e, options);
}

int explain_write_text(FILE *out, const struct explanation *e, const struct explain_options *options)
{
    write_head(out, e, options);
    int r = write_notes(out, e, options);
    if (r == P2_OK)
        r = write_ladders(out, e, options);
    if (r == P2_OK)
        r = write_stories(out, e, options);
    if (r != P2_OK)
        return r;
    write_sas(out, e, options);
    return options->verbose ? explain_write_dump(out, e, options) : P2_OK;
}
