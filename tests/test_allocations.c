/* The packet path allocates nothing: a million packets each way through two hosts, with every allocation of
 * the program counted.
 *
 * This program brings its own malloc, calloc, realloc and free: an arena from which nothing ever returns.
 * Such a replacement takes no linker option, and holds in a static link as well as in a dynamic one.
 * Sanitizers bring their own allocator; under them the packets run (fewer of them), and nothing is counted.
 */
#include "check.h"
#include "host.h"
#include "ip.h"

#include <errno.h>
#include <stdalign.h>

#ifdef CHECK_UNDER_SANITIZER

#define NUM_PACKETS 20000

static size_t count_allocations(void)
{
    return 0;
}

static void counts_allocations(void)
{
    puts("\n      skipped: under this sanitizer allocations are not counted");
}

#else

#define NUM_PACKETS 1000000
#define ARENA_SIZE  (64u << 20)

static alignas(16) uint8_t arena[ARENA_SIZE];
static size_t arena_used;
/* volatile: compilers take it for granted that malloc changes no variable of ours */
static volatile size_t num_allocations;

/* Each piece has its length in front of it, for realloc. Memory that nothing returns to is all zeros, for
 * calloc. */
static void *take(size_t size)
{
    size_t room = (size + 16 + 15) & ~(size_t)15;
    num_allocations++;
    if (size > ARENA_SIZE || room > ARENA_SIZE - arena_used) {
        errno = ENOMEM;
        return NULL;
    }
    uint8_t *piece = arena + arena_used;
    arena_used += room;
    memcpy(piece, &size, sizeof(size));
    return piece + 16;
}

void *malloc(size_t size)
{
    return take(size);
}

void *calloc(size_t num, size_t size)
{
    return take(size != 0 && num > ARENA_SIZE / size ? SIZE_MAX : num * size);
}

void *realloc(void *old, size_t size)
{
    size_t old_size = 0;
    void *piece = take(size);
    if (old)
        memcpy(&old_size, (uint8_t *)old - 16, sizeof(old_size));
    if (piece && old)
        memcpy(piece, old, old_size < size ? old_size : size);
    return piece;
}

void free(void *piece)
{
    (void)piece;
}

static size_t count_allocations(void)
{
    return num_allocations;
}

/* The counting works: without this a million packets would prove nothing. Through pointers, since compilers
 * know these functions by name and may do without them. */
static void counts_allocations(void)
{
    void *(*volatile allocate)(size_t) = malloc;
    void *(*volatile allocate_again)(void *, size_t) = realloc;
    void *(*volatile allocate_zeros)(size_t, size_t) = calloc;
    size_t before = count_allocations();
    void *piece = allocate(10), *zeros = allocate_zeros(3, 5);
    CU_ASSERT_EQUAL(count_allocations() - before, 2);
    piece = allocate_again(piece, 20);
    CU_ASSERT_EQUAL(count_allocations() - before, 3);
    CU_ASSERT_PTR_NOT_NULL(piece);
    CU_ASSERT_PTR_NOT_NULL(zeros);
    CU_ASSERT_PTR_NULL(allocate(SIZE_MAX));
}

#endif

/* --- two hosts, back to back: no network, and no memory between them --- */

struct datagram {
    int to;
    size_t len;
    uint8_t bytes[512];
};

struct side {
    struct link *link;
    int number;
    struct host *host;
    struct test_random random;
    uint64_t num_delivered, num_dropped, last_mark;
    bool ready;
};

struct link {
    struct causes *causes;
    struct p2_peer_config peer[2];
    struct p2_tunnel_config tunnel[2];
    struct side sides[2];
    struct datagram mail[8]; /* IKE messages under way */
    size_t num_mail;
    struct datagram kept; /* the last IPsec packet, if `keeps` */
    bool keeps;
    p2_time now;
    int error;
};

static void on_send_ike(void *ctx, const struct p2_datagram *d, uint64_t emission)
{
    struct side *side = ctx;
    (void)emission;
    CU_ASSERT_FATAL(side->link->num_mail < 8 && d->len <= 512);
    struct datagram *mail = &side->link->mail[side->link->num_mail++];
    mail->to = !side->number;
    mail->len = d->len;
    memcpy(mail->bytes, d->data, d->len);
}

static void on_send_ipsec(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct side *side = ctx;
    struct link *link = side->link;
    if (link->keeps) {
        CU_ASSERT_FATAL(len <= sizeof(link->kept.bytes));
        link->kept.to = !side->number;
        link->kept.len = len;
        memcpy(link->kept.bytes, packet, len);
    }
    link->error |= host_receive_ipsec(link->sides[!side->number].host, link->now, packet, len, mark);
}

static void on_deliver(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct side *side = ctx;
    (void)packet, (void)len;
    side->num_delivered++;
    side->last_mark = mark;
}

static void on_observe(void *ctx, p2_time now, const struct p2_action *action, uint64_t event)
{
    struct side *side = ctx;
    (void)now, (void)event;
    if (action->type == P2_ACTION_DROP)
        side->num_dropped++;
    if (action->type == P2_ACTION_NEGOTIATION && action->u.negotiation.event == P2_NEGOTIATION_READY)
        side->ready = true;
}

static void configure(struct link *link, int i, const struct p2_proposal *suite)
{
    struct p2_peer_config *peer = &link->peer[i];
    struct p2_tunnel_config *tunnel = &link->tunnel[i];
    struct p2_selector inside[2] = {p2_selector_v4(0x0a010000, 24), p2_selector_v4(0x0a020000, 24)};
    peer->local = p2_address_v4(i ? 0xc0000202 : 0xc0000201);
    peer->remote = p2_address_v4(i ? 0xc0000201 : 0xc0000202);
    peer->phase1 = p2_phase1_policy_default("secret");
    peer->phase1.mode = P2_PHASE1_PRESET;
    tunnel->local = inside[i];
    tunnel->remote = inside[!i];
    tunnel->policy = p2_policy_default("nopfs-esp-aes128-sha");
    tunnel->policy.proposals[0] = *suite;
    tunnel->policy.replay_window = 1024;
    tunnel->establish = i ? P2_ESTABLISH_PASSIVE : P2_ESTABLISH_IMMEDIATELY;
}

static void start(struct link *link, int i, const struct p2_proposal *suite, bool defer,
                  const struct profile *profile)
{
    struct side *side = &link->sides[i];
    configure(link, i, suite);
    *side = (struct side){.link = link, .number = i, .random = {.seed = (uint64_t)i + 1}};
    struct host_config config = {.gateway = {&link->peer[i], 1, &link->tunnel[i], 1, defer},
                                 .random = test_random(&side->random),
                                 .profile = profile,
                                 .cores = 2,
                                 .queue = 16,
                                 .causes = link->causes,
                                 .ops = {side, on_send_ike, on_send_ipsec, on_deliver, on_observe, NULL}};
    CU_ASSERT_EQUAL_FATAL(host_new(&side->host, &config), P2_OK);
}

/* Lets both hosts work off what waits on their CPUs. */
static void work_off(struct link *link)
{
    for (;;) {
        p2_time left = host_next_timeout(link->sides[0].host), right = host_next_timeout(link->sides[1].host);
        p2_time next = left < right ? left : right;
        if (next >
            link->now + P2_SECOND / 2) /* timers of the exchange and of the SAs, which are not wanted here */
            return;
        link->now = next > link->now ? next : link->now;
        link->error |= host_tick(link->sides[left <= right ? 0 : 1].host, link->now);
    }
}

/* The Quick Mode, message by message. */
static void establish(struct link *link, const struct p2_proposal *suite, bool defer,
                      const struct profile *profile)
{
    *link = (struct link){0};
    CU_ASSERT_EQUAL_FATAL(causes_new(&link->causes), P2_OK);
    start(link, 0, suite, defer, profile);
    start(link, 1, suite, defer, profile);
    work_off(link);
    for (size_t i = 0; i < link->num_mail; i++) {
        const struct datagram *mail = &link->mail[i];
        const struct p2_peer_config *peer = &link->peer[mail->to];
        struct p2_datagram d = {peer->remote, peer->local, 500, 500, mail->bytes, mail->len};
        link->error |= host_receive_ike(link->sides[mail->to].host, link->now, &d, 0);
        work_off(link);
    }
    CU_ASSERT_EQUAL_FATAL(link->error, P2_OK);
    CU_ASSERT_TRUE_FATAL(link->sides[0].ready && link->sides[1].ready);
}

static void end(struct link *link)
{
    host_free(link->sides[0].host);
    host_free(link->sides[1].host);
    causes_free(link->causes);
}

/* So many packets each way in turn. The hosts' own work is done after each, so that no queue runs full. */
static void exchange_packets(struct link *link, uint64_t num)
{
    uint8_t packet[2][40] = {{0}, {0}};
    for (int from = 0; from < 2; from++) {
        struct p2_ip_header header = {.source = p2_address_v4(from ? 0x0a020001 : 0x0a010001),
                                      .destination = p2_address_v4(from ? 0x0a010001 : 0x0a020001),
                                      .ttl = 64,
                                      .protocol = P2_IP_PROTO_UDP,
                                      .payload_len = 20};
        p2_ip_build(packet[from], &header);
    }
    for (uint64_t n = 1; n <= num; n++) {
        for (int from = 0; from < 2; from++) {
            link->error |= host_send_clear(link->sides[from].host, link->now, packet[from], 40, n * 2);
            work_off(link);
        }
    }
}

static void check_packets(struct link *link, uint64_t num)
{
    CU_ASSERT_EQUAL(link->error, P2_OK);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(link->sides[i].num_delivered, num);
        CU_ASSERT_EQUAL(link->sides[i].num_dropped, 0);
        CU_ASSERT_EQUAL(link->sides[i].last_mark, num * 2);
    }
}

static struct link the_link; /* too large for the stack */

enum { ESP, AH, BOTH, NUM_SUITES };

static struct p2_proposal suite_of(int which)
{
    struct p2_proposal esp = p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96);
    struct p2_proposal ah = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA1_96);
    if (which == BOTH)
        ah.protocols[ah.num_protocols++] = esp.protocols[0];
    return which == ESP ? esp : ah;
}

static void a_million_packets_each_way_allocate_nothing(void)
{
    for (int which = 0; which < NUM_SUITES; which++) {
        struct p2_proposal suite = suite_of(which);
        establish(&the_link, &suite, false, NULL);
        uint64_t num = which == BOTH ? NUM_PACKETS / 10 : NUM_PACKETS;
        size_t before = count_allocations();
        exchange_packets(&the_link, num);
        CU_ASSERT_EQUAL(count_allocations() - before, 0);
        check_packets(&the_link, num);
        end(&the_link);
    }
}

/* As jobs, packets are copied into a pool; it is filled once by as many as wait at a time. */
static void packets_as_jobs(const struct profile *profile)
{
    const uint64_t num = NUM_PACKETS / 10;
    for (int which = 0; which < NUM_SUITES; which++) {
        struct p2_proposal suite = suite_of(which);
        establish(&the_link, &suite, true, profile);
        exchange_packets(&the_link, 1);
        size_t before = count_allocations();
        exchange_packets(&the_link, num - 1);
        CU_ASSERT_EQUAL(count_allocations() - before, 0);
        CU_ASSERT_EQUAL(the_link.error, P2_OK);
        for (int i = 0; i < 2; i++) {
            CU_ASSERT_EQUAL(the_link.sides[i].num_delivered, num);
            CU_ASSERT_EQUAL(the_link.sides[i].num_dropped, 0);
        }
        end(&the_link);
    }
}

static void packets_as_free_jobs_allocate_nothing_once_the_pool_is_there(void)
{
    packets_as_jobs(NULL);
}

static void priced_packets_allocate_nothing_once_the_pool_is_there(void)
{
    static struct profile profile = {.scale = 1};
    for (size_t op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (size_t a = 0; a < P2_MAX_ALGORITHMS; a++)
            profile.prices[op][a] = (struct profile_price){true, 100000, 1000};
    }
    packets_as_jobs(&profile);
}

/* Refused ones neither: a flood must not cost memory, be it of noise or of copies. */
static void refused_packets_allocate_nothing(void)
{
    for (int which = 0; which < NUM_SUITES; which++) {
        uint8_t junk[60] = {0x45, 0, 0, 60, 0, 0, 0, 0, 64, which == ESP ? 50 : 51, [21] = 4};
        struct p2_proposal suite = suite_of(which);
        establish(&the_link, &suite, false, NULL);
        the_link.keeps = true;
        exchange_packets(&the_link, 1);
        struct datagram copy = the_link.kept;
        CU_ASSERT_FATAL(copy.len > 0);
        size_t before = count_allocations();
        for (int i = 0; i < 100000; i++) {
            struct host *host = the_link.sides[copy.to].host;
            the_link.error |= host_receive_ipsec(host, the_link.now, junk, sizeof(junk), 9);
            the_link.error |= host_receive_ipsec(host, the_link.now, copy.bytes, copy.len, 9);
        }
        CU_ASSERT_EQUAL(count_allocations() - before, 0);
        CU_ASSERT_EQUAL(the_link.sides[copy.to].num_dropped, 200000);
        CU_ASSERT_EQUAL(the_link.sides[copy.to].num_delivered, 1);
        CU_ASSERT_EQUAL(the_link.error, P2_OK);
        end(&the_link);
    }
}

CHECK_MAIN("allocations", {"counts allocations", counts_allocations},
           {"a million packets each way allocate nothing", a_million_packets_each_way_allocate_nothing},
           {"packets as free jobs allocate nothing once the pool is there",
            packets_as_free_jobs_allocate_nothing_once_the_pool_is_there},
           {"priced packets allocate nothing once the pool is there",
            priced_packets_allocate_nothing_once_the_pool_is_there},
           {"refused packets allocate nothing", refused_packets_allocate_nothing})
