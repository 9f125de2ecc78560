/* A message in a few words: what it is called, what it holds, whether it was answered. */
#include "story.h"

#include "dissect.h"

#include <stdio.h>
#include <string.h>

void story_message_name(const struct explanation *e, const struct explain_message *m, char *text, size_t size)
{
    char buffer[DISSECT_TEXT];
    const char *name = isakmp_exchange_name(m->header.exchange_type, buffer);
    const struct explain_message *original = explain_original(e, m);
    bool quick = m->header.exchange_type == P2_EXCHANGE_QUICK;
    if (quick && original->number > 0)
        snprintf(text, size, "%s %u", name, original->number);
    else
        snprintf(text, size, "%s", name);
}

/* Names as RFC 2409 has them, which depend on who speaks: Ni, IDci. */
static const char *payload_name(const struct p2_payload *p, unsigned number, size_t num_ids, char *buffer)
{
    if (p->type == P2_PAYLOAD_NONCE)
        return number == 1 ? "Ni" : number == 2 ? "Nr" : "nonce";
    if (p->type == P2_PAYLOAD_ID && number > 0)
        return num_ids == 0 ? "IDci" : "IDcr";
    if (p->type == P2_PAYLOAD_NOTIFY) {
        struct p2_isakmp_notify notify;
        if (p2_isakmp_parse_notify(&notify, p->body))
            return isakmp_notify_name(notify.type, buffer);
    }
    static const struct {
        uint8_t type;
        const char *name;
    } shorts[] = {{P2_PAYLOAD_SA, "SA"},         {P2_PAYLOAD_KE, "KE"},
                  {P2_PAYLOAD_ID, "ID"},         {P2_PAYLOAD_HASH, "HASH"},
                  {P2_PAYLOAD_DELETE, "DELETE"}, {P2_PAYLOAD_VENDOR, "VID"},
                  {P2_PAYLOAD_NAT_D, "NAT-D"},   {130, "NAT-D"},
                  {P2_PAYLOAD_NAT_OA, "NAT-OA"}, {131, "NAT-OA"}};
    for (size_t i = 0; i < sizeof shorts / sizeof shorts[0]; i++) {
        if (shorts[i].type == p->type)
            return shorts[i].name;
    }
    return isakmp_payload_name(p->type, buffer);
}

static void append(char *text, size_t size, const char *what)
{
    size_t len = strlen(text);
    snprintf(text + len, size - len, "%s%s", len > 0 ? ", " : "", what);
}

/* "4 VID" instead of "VID, VID, VID, VID". */
static void append_run(char *text, size_t size, const char *name, size_t num)
{
    char counted[DISSECT_TEXT + 16];
    if (num > 1)
        snprintf(counted, sizeof counted, "%zu %s", num, name);
    append(text, size, num > 1 ? counted : name);
}

void story_payloads(const struct explanation *e, const struct explain_message *m, char *text, size_t size)
{
    const struct explain_message *original = explain_original(e, m);
    struct p2_payloads p;
    char buffer[DISSECT_TEXT], last[DISSECT_TEXT] = "";
    size_t num_ids = 0, run = 0;
    text[0] = '\0';
    if (!explain_payloads(original, &p)) {
        bool encrypted = original->reading != EXPLAIN_BROKEN && original->reading != EXPLAIN_CLEAR;
        snprintf(text, size, encrypted ? "%zu bytes encrypted" : "%zu bytes, broken",
                 m->isakmp_len - P2_ISAKMP_HEADER_LEN);
        return;
    }
    unsigned number = m->header.exchange_type == P2_EXCHANGE_QUICK ? original->number : 0;
    for (size_t i = 0; i < p.num; i++) {
        const char *name = payload_name(&p.list[i], number, num_ids, buffer);
        num_ids += p.list[i].type == P2_PAYLOAD_ID;
        if (run > 0 && strcmp(name, last) != 0) {
            append_run(text, size, last, run);
            run = 0;
        }
        snprintf(last, sizeof last, "%s", name);
        run++;
    }
    if (run > 0)
        append_run(text, size, last, run);
}

bool story_was_answered(const struct explanation *e, const struct explain_message *m, p2_time until)
{
    enum {
        MAX_LOOKED_AT = 128
    }; /* an answer is not far, and there may be a copy to ask this of in every frame */
    const struct explain_exchange *x = &e->exchanges[m->exchange];
    size_t looked = 0;
    for (size_t k = x->first; k != EXPLAIN_NONE && looked < MAX_LOOKED_AT;
         k = e->messages[k].next, looked++) {
        const struct explain_message *other = &e->messages[k];
        if (p2_address_equal(&other->source, &m->destination) && other->at > m->at && other->at < until)
            return true;
    }
    return x->notify_message != EXPLAIN_NONE && e->messages[x->notify_message].at > m->at &&
           e->messages[x->notify_message].at < until;
}
