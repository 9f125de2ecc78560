/* Each allocation fails once, in turn, in a run with all that allocates: Phase 1 in either mode, a bundle
 * with PFS, packets that wait, rekeys of both phases, DPD. The call says so, nothing is leaked, no exchange
 * and no tunnel is left behind: a retry later there is a tunnel again.
 *
 * This program brings its own malloc, calloc, realloc and free, which count what is in use. Sanitizers bring
 * theirs; under them nothing fails and nothing is counted. */
#include "link_fixture.h"

#include <errno.h>
#include <gmp.h>
#include <stdalign.h>

static volatile size_t countdown;   /* to the allocation that fails; 0: none does */
static volatile size_t failures;    /* that it came to */
static volatile size_t pieces_used; /* handed out and not yet given back */

#ifndef CHECK_UNDER_SANITIZER

/* Pieces of a power of two, each with its class in front of it, kept for the next one of that class. */
#define NUM_CLASSES 28
#define ARENA_SIZE  ((size_t)192 << 20)
static alignas(16) uint8_t arena[ARENA_SIZE];
static size_t arena_used;
static void *kept[NUM_CLASSES];

static unsigned class_of(size_t size)
{
    unsigned class = 4;
    while (class < NUM_CLASSES && ((size_t)1 << class) < size)
        class ++;
    return class;
}

static void *take(size_t size, bool may_fail)
{
    unsigned class = class_of(size);
    size_t room = class < NUM_CLASSES ? ((size_t)1 << class) + 16 : SIZE_MAX;
    bool fails = may_fail && countdown != 0 && --countdown == 0;
    if (fails || class == NUM_CLASSES || (!kept[class] && room > ARENA_SIZE - arena_used)) {
        failures += fails;
        errno = ENOMEM;
        return NULL;
    }
    uint8_t *piece = kept[class];
    if (piece) {
        memcpy(&kept[class], piece, sizeof(kept[class]));
    } else {
        piece = arena + arena_used + 16;
        arena_used += room;
    }
    memcpy(piece - 16, &class, sizeof(class));
    pieces_used++;
    return piece;
}

/* volatile: compilers know these functions by name, and that nothing of the caller's lies in front */
static unsigned class_at(void *piece)
{
    uint8_t *volatile at = piece;
    unsigned class;
    memcpy(&class, at - 16, sizeof(class));
    return class;
}

void *malloc(size_t size)
{
    return take(size, true);
}

void free(void *piece)
{
    if (!piece)
        return;
    unsigned class = class_at(piece);
    memcpy(piece, &kept[class], sizeof(kept[class]));
    kept[class] = piece;
    pieces_used--;
}

void *calloc(size_t num, size_t size)
{
    void *piece = size != 0 && num > SIZE_MAX / size ? NULL : malloc(num * size);
    volatile uint8_t *bytes = piece; /* or a compiler makes a call of calloc of it */
    for (size_t i = 0; piece && i < num * size; i++)
        bytes[i] = 0;
    return piece;
}

void *realloc(void *old, size_t size)
{
    void *piece = malloc(size);
    if (!old || !piece)
        return piece;
    size_t old_size = (size_t)1 << class_at(old);
    memcpy(piece, old, old_size < size ? old_size : size);
    free(old);
    return piece;
}

/* GMP ends the program when it gets no memory, whatever anybody does about it. */
static void *take_for_gmp(size_t size)
{
    return take(size, false);
}

static void *retake_for_gmp(void *old, size_t old_size, size_t size)
{
    void *piece = take(size, false);
    memcpy(piece, old, old_size < size ? old_size : size);
    free(old);
    return piece;
}

static void free_for_gmp(void *piece, size_t size)
{
    (void)size;
    free(piece);
}

static void prepare(void)
{
    mp_set_memory_functions(take_for_gmp, retake_for_gmp, free_for_gmp);
}

#else

static void prepare(void)
{
}

#endif

/* --- the run --- */

struct plan {
    enum p2_phase1_mode mode;
    bool transport, commit;
};

static struct p2_proposal ah_around_esp(void)
{
    struct p2_proposal p = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA256_128);
    p.protocols[p.num_protocols++] =
        p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96).protocols[0];
    return p;
}

static void configure(struct link *link, const struct plan *plan)
{
    link->may_run_out = true;
    for (int side = 0; side < 2; side++) {
        struct p2_phase1_policy *phase1 = &link->peer[side].phase1;
        struct p2_tunnel_config *tunnel = &link->tunnel[side];
        phase1->mode = plan->mode;
        phase1->group = P2_GROUP_19;
        phase1->lifetime_s = 150;
        phase1->initial_contact = true;
        phase1->dpd_interval = 10 * P2_SECOND;
        phase1->dpd_tries = 3;
        tunnel->policy.proposals[0] = ah_around_esp();
        tunnel->policy.pfs = P2_GROUP_19;
        tunnel->policy.lifetime_s = 100;
        tunnel->policy.commit_bit = plan->commit;
        tunnel->establish = side ? P2_ESTABLISH_PASSIVE : P2_ESTABLISH_ON_TRAFFIC;
        tunnel->retry = 2 * P2_SECOND;
        tunnel->waiting = 4;
    }
}

/* A packet each way, as far as there is memory. Whether both arrived. */
static bool exchange_packets(struct link *link)
{
    uint8_t packet[200];
    bool arrived = true;
    for (int from = 0; from < 2; from++) {
        struct end *end = &link->ends[from], *other = &link->ends[!from];
        size_t len = build_packet(link, from, sizeof(packet), packet);
        end->wire_len = other->inner_len = 0;
        check_result(link, p2_gateway_send_clear(end->gw, link->now, 1, packet, len));
        drain(link, from);
        settle(link);
        if (end->wire_len > 0) {
            check_result(link, p2_gateway_receive_ipsec(other->gw, link->now, 1, end->wire, end->wire_len));
            drain(link, !from);
            settle(link);
        }
        arrived &= other->inner_len == len;
    }
    return arrived;
}

static bool start_short_of_memory(struct link *link)
{
    for (int side = 0; side < 2; side++) {
        struct p2_gateway_config config = {&link->peer[side], 1, &link->tunnel[side], 1, side == 0};
        int r = p2_gateway_new(&link->ends[side].gw, &config, test_random(&link->ends[side].random));
        CU_ASSERT_TRUE(r == P2_OK || r == P2_ERR_NOMEM);
        if (r != P2_OK)
            return false;
        drain(link, side);
    }
    return true;
}

static bool works_in_the_end(struct link *link)
{
    for (int i = 0; i < 100; i++) {
        if (i == 60) /* what fails from now on could not be tried again in time */
            countdown = 0;
        exchange_packets(link);
        wait_until(link, link->now + 4 * P2_SECOND);
    }
    return exchange_packets(link);
}

static void fail_each(const struct plan *plan)
{
    size_t failed = 0;
    prepare();
    for (size_t n = 0;; n++) { /* 0: none fails */
        size_t before = pieces_used;
        struct link *link = new_link(&networks[plan->transport ? 4 : 0]);
        configure(link, plan);
        failures = 0;
        countdown = n;
        bool started = start_short_of_memory(link), works = started && works_in_the_end(link);
        bool reached = failures > 0;
        countdown = 0;
        free_link(link);
        if (started && !works)
            printf("\n      nothing goes any more after allocation %zu failed", n);
        if (pieces_used != before)
            printf("\n      %zd pieces leaked when allocation %zu failed", pieces_used - before, n);
        CU_ASSERT_TRUE(!started || works);
        CU_ASSERT_EQUAL(pieces_used, before);
        failed += reached;
        if (n > 0 && !reached)
            break;
    }
#ifndef CHECK_UNDER_SANITIZER
    CU_ASSERT_TRUE(failed > 100);
#endif
}

static void each_allocation_fails_in_main_mode(void)
{
    fail_each(&(struct plan){P2_PHASE1_MAIN, false, true});
}

static void each_allocation_fails_in_aggressive_mode(void)
{
    fail_each(&(struct plan){P2_PHASE1_AGGRESSIVE, true, false});
}

CHECK_MAIN("out of memory", {"each allocation fails in main mode", each_allocation_fails_in_main_mode},
           {"each allocation fails in aggressive mode", each_allocation_fails_in_aggressive_mode})
