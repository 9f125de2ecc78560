#include "attack_tap.h"

#include "array.h"
#include "isakmp.h"

#include <stdlib.h>
#include <string.h>

void attack_tap_cleanup(struct attack_tap *tap)
{
    for (size_t i = 0; i < tap->num; i++)
        free(tap->items[i].bytes);
    for (int end = 0; end < 2; end++) {
        free(tap->last_ike[end].bytes);
        free(tap->last_esp[end].bytes);
    }
    free(tap->items);
    free(tap->wanted);
    p2_map_cleanup(&tap->newest);
    *tap = (struct attack_tap){0};
}

int attack_tap_want(struct attack_tap *tap, const struct scenario_attack *attack)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
    const struct scenario_attack **wanted = ARRAY_APPEND(tap->wanted, tap->num_wanted);
    if (!wanted)
        return P2_ERR_NOMEM;
    *wanted = attack;
    return P2_OK;
}

bool attack_tap_means(const struct scenario_attack *attack, const struct attack_recorded *item)
{
    bool imitates = attack->method == SCENARIO_FLOOD_BAD_HASH || attack->method == SCENARIO_FLOOD_SPOOFED_ESP;
    return !imitates && item->time >= attack->from && item->time <= attack->until &&
           (attack->protocols & item->protocol) != 0 &&
           (attack->sent_by < 0 || attack->sent_by == item->end) &&
           !(attack->kind == SCENARIO_FORGE && item->is_fragment);
}

static bool is_wanted(const struct attack_tap *tap, const struct attack_recorded *item)
{
    for (size_t i = 0; i < tap->num_wanted; i++) {
        if (attack_tap_means(tap->wanted[i], item))
            return true;
    }
    return false;
}

static bool set_bytes(struct attack_recorded *to, const struct attack_recorded *from, const uint8_t *packet)
{
    uint8_t *bytes = realloc(to->bytes, from->len);
    if (!bytes)
        return false;
    memcpy(bytes, packet, from->len);
    *to = *from;
    to->bytes = bytes;
    return true;
}

static bool keep(struct attack_tap *tap, const struct attack_recorded *item, const uint8_t *packet)
{
    struct attack_recorded *kept = ARRAY_APPEND(tap->items, tap->num);
    if (!kept)
        return false;
    bool good = set_bytes(kept, item, packet);
    tap->num -= !good;
    return good;
}

static uint64_t key_of(const struct attack_view *view)
{
    return (uint64_t)view->protocol << 32 | view->spi;
}

/* Of 32 bits that go round, the one in front. */
static bool note_number(struct attack_tap *tap, const struct attack_view *view)
{
    uintptr_t known = (uintptr_t)p2_map_get(&tap->newest, key_of(view));
    if (known != 0 && view->sequence - (uint32_t)(known - 1) > UINT32_MAX / 2)
        return true;
    return p2_map_put(&tap->newest, key_of(view), (void *)((uintptr_t)view->sequence + 1)) == P2_OK;
}

int attack_tap_hear(struct attack_tap *tap, p2_time now, int end, const uint8_t *packet, size_t len,
                    uint64_t mark)
{
    struct attack_view view = attack_look(packet, len);
    struct attack_recorded item = {.time = now,
                                   .end = end,
                                   .protocol = view.protocol,
                                   .is_fragment = view.is_fragment,
                                   .mark = mark,
                                   .len = len};
    bool good = true;
    if (view.protocol == 0)
        return P2_OK;
    if (is_wanted(tap, &item))
        good = keep(tap, &item, packet);
    if (view.protocol == SCENARIO_ATTACK_IKE) {
        bool encrypted = packet[view.at + 19] & P2_FLAG_ENCRYPTED; /* RFC 2408 section 3.1 */
        good = good && (!encrypted || set_bytes(&tap->last_ike[end], &item, packet));
    } else if (!view.is_fragment) {
        good = good && note_number(tap, &view);
        if (view.protocol == SCENARIO_ATTACK_ESP)
            good = good && set_bytes(&tap->last_esp[end], &item, packet);
    }
    return good ? P2_OK : P2_ERR_NOMEM;
}

uint32_t attack_tap_newest(const struct attack_tap *tap, const struct attack_view *view)
{
    uintptr_t known = (uintptr_t)p2_map_get(&tap->newest, key_of(view));
    return known != 0 ? (uint32_t)(known - 1) : view->sequence;
}
