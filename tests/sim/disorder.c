#include "disorder.h"

#include "cursor.h"
#include "flights.h"
#include "ip.h"
#include "isakmp.h"

#include <assert.h>

#define MAX_RECORDED 64
#define MAX_DATAGRAM 4096

struct recorded { /* what the attacker saw */
    int from;
    uint16_t source_port, destination_port;
    uint8_t bytes[MAX_DATAGRAM];
    size_t len;
};

struct side {
    struct disorder *world;
    int number;
    struct host *host;
    struct test_random random;
    p2_time last_delivery[DISORDER_TUNNELS];
    p2_time longest_silence; /* between two deliveries of a tunnel */
};

struct disorder {
    struct disorder_options options;
    struct test_random random;
    struct side sides[2];
    struct causes *causes;
    struct ledger ledger;
    struct flights flights;
    struct recorded recorded[MAX_RECORDED]; /* a ring */
    disorder_fate_fn *fate;
    void *fate_ctx;
    struct disorder_witness witness;
    size_t num_messages;
    p2_time now;
};

static uint64_t below(struct disorder *w, uint64_t n)
{
    return test_random_below(&w->random, n);
}

static bool happens(struct disorder *w, unsigned permille)
{
    return below(w, 1000) < permille;
}

/* --- the network --- */

/* Where IKE begins in a datagram: behind a marker on port 4500, to which ends go that believe in a NAT. */
static size_t marker(uint16_t destination_port)
{
    return destination_port == 4500 ? 4 : 0;
}

static void launch(struct disorder *w, const struct flight *like, const uint8_t *data)
{
    struct flight f = *like;
    f.at = w->now + w->options.delay[!like->to];
    if (w->options.jitter > 0)
        f.at += (p2_time)below(w, (uint64_t)w->options.jitter);
    flights_add(&w->flights, &f, data);
}

/* One bit anywhere; one in the header's fields; the end, where hashes and padding are; or several bytes. */
static void corrupt(struct disorder *w, uint8_t *data, size_t len)
{
    switch (below(w, 4)) {
    case 0:
        data[below(w, len)] ^= (uint8_t)(1 << below(w, 8));
        break;
    case 1:
        data[16 + below(w, 8)] ^= (uint8_t)(1 << below(w, 8));
        break;
    case 2:
        data[len - 1 - below(w, 20)] ^= (uint8_t)(1 + below(w, 255));
        break;
    default:
        for (int i = 0; i < 4; i++)
            data[below(w, len)] = (uint8_t)below(w, 256);
    }
}

static void transmit_by_chance(struct disorder *w, const struct flight *f, const uint8_t *data)
{
    uint8_t changed[P2_IPV4_HEADER_LEN + MAX_DATAGRAM];
    assert(f->len <= sizeof(changed));
    unsigned copies = happens(w, w->options.duplicates) ? 2 + (unsigned)below(w, 2) : 1;
    for (unsigned i = 0; i < copies; i++) {
        if (happens(w, w->options.loss))
            continue;
        memcpy(changed, data, f->len);
        if (happens(w, w->options.corruption) && f->ipsec) /* IP routers would not forward a broken header */
            corrupt(w, changed + P2_IPV4_HEADER_LEN, f->len - P2_IPV4_HEADER_LEN);
        else if (happens(w, w->options.corruption))
            corrupt(w, changed, f->len);
        launch(w, f, changed);
    }
}

static void launch_late(struct disorder *w, const struct flight *like, const uint8_t *data, p2_time delay)
{
    struct flight f = *like;
    f.at = w->now + w->options.delay[!like->to] + delay;
    flights_add(&w->flights, &f, data);
}

static void transmit(struct disorder *w, const struct flight *f, const uint8_t *data)
{
    struct disorder_message m = {.from = !f->to, .ipsec = f->ipsec, .data = data, .len = f->len};
    enum disorder_fate fate = DISORDER_PASS;
    p2_time delay = 0;
    m.mark = f->ipsec ? f->emission : 0;
    if (!f->ipsec) {
        const uint8_t *ike = data + marker(f->destination_port);
        m.exchange_type = ike[18];
        m.message_id = p2_get_u32(ike + 20);
    }
    if (w->fate)
        fate = w->fate(w->fate_ctx, &m, &delay);
    if (fate == DISORDER_DELAY || fate == DISORDER_DOUBLE)
        launch_late(w, f, data, delay);
    if (fate == DISORDER_PASS || fate == DISORDER_DOUBLE)
        transmit_by_chance(w, f, data);
}

/* --- callbacks of the hosts --- */

static void on_send_ike(void *ctx, const struct p2_datagram *d, uint64_t emission)
{
    struct side *side = ctx;
    struct disorder *w = side->world;
    if (d->len == 1) /* a keepalive, of which nothing comes */
        return;
    struct recorded *r = &w->recorded[w->num_messages++ % MAX_RECORDED];
    assert(d->len <= MAX_DATAGRAM);
    r->from = side->number;
    r->source_port = d->source_port;
    r->destination_port = d->destination_port;
    r->len = d->len;
    memcpy(r->bytes, d->data, d->len);
    const uint8_t *ike = d->data + marker(d->destination_port);
    if (w->options.verbose)
        printf("%9.3f side %d sends type %u, message ID %08x, %zu bytes\n", (double)w->now / P2_SECOND,
               side->number, ike[18], p2_get_u32(ike + 20), d->len);
    struct flight f = {.to = !side->number,
                       .source_port = d->source_port,
                       .destination_port = d->destination_port,
                       .emission = emission,
                       .len = d->len};
    transmit(w, &f, d->data);
}

static void on_send_ipsec(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct side *side = ctx;
    struct flight f = {.to = !side->number, .ipsec = true, .emission = mark, .len = len};
    transmit(side->world, &f, packet);
}

static void on_deliver(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct side *side = ctx;
    const struct disorder_witness *witness = &side->world->witness;
    if (witness->deliver)
        witness->deliver(witness->ctx, side->number, packet, len, mark);
    size_t tunnel = packet[18]; /* the third byte of the destination */
    assert(tunnel < side->world->options.num_tunnels);
    p2_time silence = side->world->now - side->last_delivery[tunnel];
    side->longest_silence = silence > side->longest_silence ? silence : side->longest_silence;
    side->last_delivery[tunnel] = side->world->now;
}

static void tell(const struct side *side, p2_time now, const struct p2_action *action)
{
    const char *events[] = {"started", "ready", "failed"};
    const struct p2_negotiation *n = &action->u.negotiation;
    double t = (double)now / P2_SECOND;
    if (action->type == P2_ACTION_NEGOTIATION)
        printf("%9.3f side %d %s %08x %s: %s %s\n", t, side->number, n->initiator ? "initiator" : "responder",
               n->id.message_id, events[n->event], p2_failure_name(n->failure), n->field);
    else if (action->type == P2_ACTION_SA_INSTALLED && action->u.sa.inbound)
        printf("%9.3f side %d installs %08x\n", t, side->number, action->u.sa.spi);
    else if (action->type == P2_ACTION_SA_REMOVED && action->u.sa.inbound)
        printf("%9.3f side %d removes %08x: %s\n", t, side->number, action->u.sa.spi,
               p2_removal_name(action->u.sa.removal));
    else if (action->type == P2_ACTION_DROP && !action->u.drop.ipsec)
        printf("%9.3f side %d drops %s\n", t, side->number, p2_drop_name(action->u.drop.reason));
}

static void on_observe(void *ctx, p2_time now, const struct p2_action *action, uint64_t event)
{
    struct side *side = ctx;
    struct disorder *w = side->world;
    if (w->options.verbose)
        tell(side, now, action);
    if (w->witness.observe)
        w->witness.observe(w->witness.ctx, side->number, action);
    ledger_observe(&w->ledger, side->number, now, action, event, w->options.profile[side->number]);
}

/* --- construction --- */

static void start_host(struct disorder *w, int i)
{
    struct side *side = &w->sides[i];
    const struct disorder_options *o = &w->options;
    side->world = w;
    side->number = i;
    struct host_config config = {.gateway = {&o->peer[i], 1, o->tunnel[i], o->num_tunnels, o->defer_ipsec},
                                 .random = test_random(&side->random),
                                 .profile = o->profile[i],
                                 .cores = o->cores[i],
                                 .queue = o->queue[i],
                                 .causes = w->causes,
                                 .ops = {side, on_send_ike, on_send_ipsec, on_deliver, on_observe, NULL}};
    check_ok(host_new(&side->host, &config));
}

struct disorder *disorder_new(const struct disorder_options *options)
{
    struct disorder *w = calloc(1, sizeof(*w));
    w->options = *options;
    w->random.seed = ~options->seed;
    check_ok(causes_new(&w->causes));
    for (int i = 0; i < 2; i++) {
        w->sides[i].random.seed = options->seed * 2 + (uint64_t)i;
        for (size_t n = 0; n < DISORDER_TUNNELS; n++)
            w->sides[i].last_delivery[n] = -1;
        start_host(w, i);
    }
    return w;
}

void disorder_free(struct disorder *w)
{
    flights_cleanup(&w->flights);
    host_free(w->sides[0].host);
    host_free(w->sides[1].host);
    ledger_cleanup(&w->ledger);
    causes_free(w->causes);
    free(w);
}

/* --- time --- */

/* As the host's UDP sockets do it. */
static void receive_udp(struct disorder *w, int to, const struct flight *f, const uint8_t *data)
{
    const struct p2_peer_config *peer = &w->options.peer[to];
    struct p2_datagram d = {peer->remote, peer->local, f->source_port, f->destination_port, data, f->len};
    enum p2_udp_payload payload = d.destination_port == 4500 ? p2_udp_payload(data, f->len) : P2_UDP_IKE;
    if (payload == P2_UDP_IKE)
        check_ok(host_receive_ike(w->sides[to].host, w->now, &d, f->emission));
    else if (payload == P2_UDP_ESP)
        check_ok(host_receive_udp_esp(w->sides[to].host, w->now, &d, f->emission));
}

static void receive_ipsec(struct disorder *w, const struct flight *f)
{
    struct p2_ip_view view;
    if (p2_ip_parse(&view, f->bytes, f->len) < 0 || view.protocol != P2_IP_PROTO_UDP ||
        view.payload.len < P2_UDP_HEADER_LEN) {
        check_ok(host_receive_ipsec(w->sides[f->to].host, w->now, f->bytes, f->len, f->emission));
        return;
    }
    struct flight udp = {.source_port = view.source_port,
                         .destination_port = view.destination_port,
                         .emission = f->emission,
                         .len = view.payload.len - P2_UDP_HEADER_LEN};
    receive_udp(w, f->to, &udp, view.payload.data + P2_UDP_HEADER_LEN);
}

static void land(struct disorder *w)
{
    struct flight f = flights_take_first(&w->flights);
    if (f.ipsec)
        receive_ipsec(w, &f);
    else
        receive_udp(w, f.to, &f, f.bytes);
    free(f.bytes);
}

void disorder_run(struct disorder *w, p2_time until)
{
    for (;;) {
        const struct flight *f = flights_first(&w->flights);
        p2_time left = host_next_timeout(w->sides[0].host), right = host_next_timeout(w->sides[1].host);
        p2_time timer = left < right ? left : right, next = f && f->at <= timer ? f->at : timer;
        if (next > until)
            break;
        w->now = next > w->now ? next : w->now;
        if (f && f->at <= timer)
            land(w);
        else
            check_ok(host_tick(w->sides[left <= right ? 0 : 1].host, w->now));
    }
    w->now = until;
}

/* --- poking --- */

void disorder_calm(struct disorder *w)
{
    w->options.jitter = 0;
    w->options.loss = w->options.duplicates = w->options.corruption = 0;
    if (w->options.verbose)
        printf("%9.3f calm\n", (double)w->now / P2_SECOND);
}

/* A replay, a forgery, a first message under a new cookie, a new message ID, or one that is cut short. */
static size_t alter(struct disorder *w, uint8_t *data, size_t len)
{
    switch (below(w, 5)) {
    case 0:
        break;
    case 1:
        corrupt(w, data, len);
        break;
    case 2:
        p2_put_u32(data, (uint32_t)test_random_next(&w->random));
        memset(data + 8, 0, 8);
        break;
    case 3:
        p2_put_u32(data + 20, (uint32_t)test_random_next(&w->random));
        break;
    default:
        len = P2_ISAKMP_HEADER_LEN + below(w, (len - P2_ISAKMP_HEADER_LEN) / 16 + 1) * 16;
        p2_put_u32(data + 24, (uint32_t)len);
    }
    return len;
}

static void inject(struct disorder *w, int to, const struct recorded *r, const uint8_t *data, size_t len)
{
    struct flight f = {.source_port = r->source_port, .destination_port = r->destination_port, .len = len};
    receive_udp(w, to, &f, data);
}

void disorder_attack(struct disorder *w)
{
    uint8_t data[MAX_DATAGRAM];
    size_t num = w->num_messages < MAX_RECORDED ? w->num_messages : MAX_RECORDED;
    if (num == 0)
        return;
    const struct recorded *r = &w->recorded[below(w, num)];
    int to = happens(w, 100) ? r->from : !r->from; /* now and then it goes back to who sent it */
    memcpy(data, r->bytes, r->len);
    size_t at = marker(r->destination_port),
           len = r->len > at ? at + alter(w, data + at, r->len - at) : r->len;
    inject(w, to, r, data, len);
}

void disorder_send(struct disorder *w, int from, size_t tunnel, size_t len)
{
    uint8_t packet[2048] = {0};
    uint32_t left = 0x0a010001 + ((uint32_t)tunnel << 8), right = 0x0a020001 + ((uint32_t)tunnel << 8);
    assert(len >= P2_IPV4_HEADER_LEN && len <= sizeof(packet));
    struct p2_ip_header header = {.source = p2_address_v4(from ? right : left),
                                  .destination = p2_address_v4(from ? left : right),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP,
                                  .payload_len = len - P2_IPV4_HEADER_LEN};
    p2_ip_build(packet, &header);
    check_ok(host_send_clear(w->sides[from].host, w->now, packet, len, 1));
}

void disorder_send_packet(struct disorder *w, int from, const uint8_t *packet, size_t len, uint64_t mark)
{
    check_ok(host_send_clear(w->sides[from].host, w->now, packet, len, mark));
}

void disorder_inject(struct disorder *w, int to, const uint8_t *packet, size_t len, uint64_t mark)
{
    check_ok(host_receive_ipsec(w->sides[to].host, w->now, packet, len, mark));
}

void disorder_rekey(struct disorder *w, int side, size_t tunnel)
{
    check_ok(host_rekey(w->sides[side].host, w->now, tunnel));
}

void disorder_clear(struct disorder *w, int side, size_t tunnel)
{
    check_ok(host_clear(w->sides[side].host, w->now, tunnel));
}

void disorder_restart(struct disorder *w, int side)
{
    if (w->options.verbose)
        printf("%9.3f side %d restarts\n", (double)w->now / P2_SECOND, side);
    host_free(w->sides[side].host);
    start_host(w, side);
}

void disorder_call_witness(struct disorder *w, const struct disorder_witness *witness)
{
    w->witness = *witness;
}

void disorder_intercept(struct disorder *w, disorder_fate_fn *fn, void *ctx)
{
    w->fate = fn;
    w->fate_ctx = ctx;
}

bool disorder_replay(struct disorder *w, int from, uint8_t exchange_type, size_t n)
{
    size_t num = w->num_messages < MAX_RECORDED ? w->num_messages : MAX_RECORDED;
    for (size_t i = 1; i <= num; i++) {
        const struct recorded *r = &w->recorded[(w->num_messages - i) % MAX_RECORDED];
        if (r->from == from && r->bytes[marker(r->destination_port) + 18] == exchange_type && n-- == 0) {
            inject(w, !from, r, r->bytes, r->len);
            return true;
        }
    }
    return false;
}

/* --- looking --- */

p2_time disorder_now(const struct disorder *w)
{
    return w->now;
}

struct p2_gateway *disorder_gateway(struct disorder *w, int side)
{
    return host_gateway(w->sides[side].host);
}

const struct ledger *disorder_ledger(const struct disorder *w)
{
    return &w->ledger;
}

const struct causes *disorder_causes(const struct disorder *w)
{
    return w->causes;
}

size_t disorder_num_messages(const struct disorder *w)
{
    return w->num_messages;
}

p2_time disorder_last_delivery(const struct disorder *w, int side, size_t tunnel)
{
    return w->sides[side].last_delivery[tunnel];
}

p2_time disorder_longest_silence(struct disorder *w)
{
    p2_time longest = 0;
    for (int side = 0; side < 2; side++) {
        longest = w->sides[side].longest_silence > longest ? w->sides[side].longest_silence : longest;
        w->sides[side].longest_silence = 0;
    }
    return longest;
}

bool disorder_limits_kept(struct disorder *w)
{
    struct p2_sa_info sa;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; p2_gateway_sa_at(disorder_gateway(w, side), i, &sa); i++) {
            if (sa.hard_at < w->now)
                return false;
        }
    }
    return true;
}

bool disorder_is_stuck(struct disorder *w)
{
    for (int side = 0; side < 2; side++) {
        if (p2_gateway_negotiations(disorder_gateway(w, side)) > 0 &&
            host_next_timeout(w->sides[side].host) == P2_TIME_NEVER)
            return true;
    }
    return false;
}

static bool has_mirror(struct p2_gateway *gw, const struct p2_sa_info *sa)
{
    struct p2_sa_info other;
    for (size_t i = 0; p2_gateway_sa_at(gw, i, &other); i++) {
        if (other.inbound != sa->inbound && other.spi == sa->spi && other.authorised && sa->authorised &&
            memcmp(other.encryption_key, sa->encryption_key, sizeof(sa->encryption_key)) == 0 &&
            memcmp(other.authentication_key, sa->authentication_key, sizeof(sa->authentication_key)) == 0)
            return true;
    }
    return false;
}

bool disorder_sadbs_equal(struct disorder *w)
{
    struct p2_sa_info sa;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; p2_gateway_sa_at(disorder_gateway(w, side), i, &sa); i++) {
            if (!has_mirror(disorder_gateway(w, !side), &sa))
                return false;
        }
    }
    return true;
}
