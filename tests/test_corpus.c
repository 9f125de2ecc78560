/* The Quick Modes of two real daemons, played again: our core in either role, with the daemon's draws of
 * message IDs, SPIs, nonces and Diffie-Hellman values, says what the daemon said, derives the keys that it
 * exported and carries the same ESP packets both ways. Data: tests/vectors/corpus (or $P2_VECTORS/corpus),
 * from the root of the repository.
 *
 * What "the same" leaves out: trailing padding behind the last payload (strongSwan adds a block where we add
 * none), and with it the lengths and ciphertexts it shows in. Captured messages are carried over to our chain
 * of IVs for that reason (tests/corpus/message.h).
 *
 * Linking: this program replaces the dh module by a double, for a capture does not show private values. The
 * objects of tests/corpus/ (all of them, dh.o included) stand in front of libphase2.a; corpus/dh.c defines
 * every symbol of model/dh.c, so that the archive's dh.o is never pulled in. */
#include "corpus/play.h"

struct outcome {
    size_t rekeys; /* Quick Modes that the soft limit started */
    size_t resent; /* messages that a timer sent again */
    bool refused;
};

static void check_installed(const struct play *p)
{
    const struct corpus *corpus = p->corpus;
    EXPECT(p, p->num_installed == corpus->num_sas && corpus->num_sas == 2 * corpus->num_with_keys);
    for (size_t i = 0; i < p->num_installed; i++) {
        for (size_t k = 0; k < i; k++)
            EXPECT(p, p->installed[i].spi != p->installed[k].spi);
    }
    EXPECT(p, p->num_secrets == (corpus->pfs ? corpus->num_with_keys : 0));
    EXPECT(p, play_count(p, P2_NEGOTIATION_READY) == corpus->num_with_keys);
}

static void check_traffic(const struct play *p)
{
    size_t theirs = 0;
    for (size_t i = 0; i < p->corpus->capture.num_frames; i++) {
        const struct corpus_frame *frame = &p->corpus->capture.frames[i];
        theirs += frame->esp && corpus_sender(p->corpus, frame) != p->side;
    }
    EXPECT(p, p->num_delivered == theirs);
    EXPECT(p, p->num_delivered + p->num_sealed == p->corpus->num_ipsec);
    for (size_t i = 0; i < P2_NUM_DROPS; i++)
        EXPECT(p, p->drops[i] == 0);
}

/* The first one is asked for, the others start by themselves. */
static void check_starts(const struct play *p, const struct outcome *outcome)
{
    size_t initial = 0, soft = 0;
    for (size_t i = 0; i < p->num_negotiations; i++) {
        const struct p2_negotiation *n = &p->negotiations[i];
        EXPECT(p, n->initiator == (p->side == CORPUS_INITIATOR));
        if (n->event == P2_NEGOTIATION_FAILED)
            EXPECT(p, outcome->refused);
        if (n->event == P2_NEGOTIATION_READY)
            EXPECT(p, n->group == p->corpus->ends[p->side].policy.pfs);
        initial += n->event == P2_NEGOTIATION_STARTED && n->start == P2_START_INITIAL;
        soft += n->event == P2_NEGOTIATION_STARTED && n->start == P2_START_SOFT_LIFETIME;
    }
    if (p->side == CORPUS_INITIATOR)
        EXPECT(p, initial == 1 && soft == outcome->rekeys);
}

/* Nothing is left of the script, and nothing was drawn that stands not in it. */
static void check_draws(const struct play *p, const struct outcome *outcome)
{
    bool initiator = p->side == CORPUS_INITIATOR;
    for (size_t use = 0; use < SCRIPT_USES; use++) {
        const struct script_draws *draws = &p->script.draws[use];
        bool newest_undeleted = initiator && use == P2_RANDOM_MESSAGE_ID && outcome->rekeys > 0;
        EXPECT(p, draws->unscripted == 0);
        EXPECT(p, draws->num - draws->next == (newest_undeleted ? 1 : 0));
    }
    EXPECT(p, p->script.next_dh == p->script.num_dh);
    EXPECT(p, (p->script.num_dh > 0) == p->corpus->pfs);
}

/* Removals: the responder's by the daemon's deletes, the initiator's at its hard limits. */
static void check_removals(const struct play *p, const struct outcome *outcome)
{
    bool initiator = p->side == CORPUS_INITIATOR;
    EXPECT(p, p->num_removed == p->num_installed - (initiator && outcome->rekeys > 0 ? 2 : 0));
    for (size_t i = 0; i < p->num_removed; i++)
        EXPECT(p, p->removed[i].removal == (initiator ? P2_REMOVED_HARD_LIFETIME : P2_REMOVED_BY_PEER));
}

static void check_refusal(const struct play *p)
{
    const struct p2_negotiation *last = &p->negotiations[p->num_negotiations - 1];
    bool initiator = p->side == CORPUS_INITIATOR;
    if (!EXPECT(p, play_count(p, P2_NEGOTIATION_FAILED) == 1 && last->event == P2_NEGOTIATION_FAILED))
        return;
    EXPECT(p, last->failure == P2_FAIL_NO_PROPOSAL_CHOSEN && last->notify == P2_NOTIFY_NO_PROPOSAL_CHOSEN);
    EXPECT(p, last->notify_received == initiator);
    if (!initiator) {
        EXPECT(p, strcmp(last->field, "encryption") == 0);
        EXPECT(p, strcmp(last->offered, "aes-128-cbc") == 0 && strcmp(last->acceptable, "aes-256-cbc") == 0);
    }
}

static void check_resends(const struct play *p, const struct outcome *outcome)
{
    size_t resent = 0;
    for (size_t i = 0; i < p->num_sent; i++)
        resent += p->sent[i].resend;
    EXPECT(p, resent == (p->side == CORPUS_INITIATOR ? outcome->resent : 0));
}

static void play_case(const char *name, enum corpus_side side, struct outcome outcome)
{
    struct corpus *corpus = calloc(1, sizeof(*corpus));
    struct play *play = calloc(1, sizeof(*play));
    if (!corpus || !play)
        abort();
    corpus_load(corpus, name);
    play_open(play, corpus, side);
    play_frames(play);
    check_installed(play);
    check_traffic(play);
    check_starts(play, &outcome);
    check_draws(play, &outcome);
    check_removals(play, &outcome);
    check_resends(play, &outcome);
    if (outcome.refused)
        check_refusal(play);
    EXPECT(play, p2_gateway_negotiations(play->gw) == 0);
    play_close(play);
    corpus_free(corpus);
    free(play);
    free(corpus);
}

static void nopfs_initiator(void)
{
    play_case("qm-nopfs-aes128-sha1", CORPUS_INITIATOR, (struct outcome){0});
}

static void nopfs_responder(void)
{
    play_case("qm-nopfs-aes128-sha1", CORPUS_RESPONDER, (struct outcome){0});
}

static void pfs_initiator(void)
{
    play_case("qm-pfs-modp1024-aes128-sha1", CORPUS_INITIATOR, (struct outcome){0});
}

static void pfs_responder(void)
{
    play_case("qm-pfs-modp1024-aes128-sha1", CORPUS_RESPONDER, (struct outcome){0});
}

static void refused_initiator(void)
{
    play_case("no-proposal-chosen", CORPUS_INITIATOR, (struct outcome){.refused = true});
}

static void refusing_responder(void)
{
    play_case("no-proposal-chosen", CORPUS_RESPONDER, (struct outcome){.refused = true});
}

static void rekeying_initiator(void)
{
    play_case("rekey-under-traffic", CORPUS_INITIATOR, (struct outcome){.rekeys = 4});
}

static void rekeyed_responder(void)
{
    play_case("rekey-under-traffic", CORPUS_RESPONDER, (struct outcome){.rekeys = 4});
}

static void resending_initiator(void)
{
    play_case("aggressive-mode", CORPUS_INITIATOR, (struct outcome){.resent = 1});
}

static void resent_to_responder(void)
{
    play_case("aggressive-mode", CORPUS_RESPONDER, (struct outcome){.resent = 1});
}

static const struct p2_payload *ke_of(const struct corpus_frame *frame, struct p2_payloads *payloads)
{
    const uint8_t *data = frame->content.data;
    int r = p2_isakmp_parse_payloads(payloads, data[16], data + P2_ISAKMP_HEADER_LEN,
                                     frame->content.len - P2_ISAKMP_HEADER_LEN);
    return r == P2_OK ? p2_isakmp_find(payloads, P2_PAYLOAD_KE, 0) : NULL;
}

/* strongSwan encrypts message 3 of aggressive mode under hash(g^xi | g^xr), and every later IV comes from its
 * last block (RFC 2409 appendix B): what our aggressive mode does as well. */
static void aggressive_mode_chains_its_ivs(void)
{
    struct corpus *corpus = calloc(1, sizeof(*corpus));
    if (!corpus)
        abort();
    corpus_load(corpus, "aggressive-mode");
    const struct corpus_frame *frames = corpus->capture.frames;
    struct p2_payloads payloads[3];
    const struct p2_payload *ke[2] = {ke_of(&frames[0], &payloads[0]), ke_of(&frames[1], &payloads[1])};
    CU_ASSERT_TRUE_FATAL(ke[0] && ke[1]);
    struct p2_phase1_secrets secrets = {.ke_i = ke[0]->body, .ke_r = ke[1]->body};
    struct p2_bytes third = frames[2].content;
    size_t len = third.len - P2_ISAKMP_HEADER_LEN;
    uint8_t iv[P2_CIPHER_MAX_BLOCK], plain[512];
    CU_ASSERT_TRUE_FATAL(third.data[18] == P2_EXCHANGE_AGGRESSIVE && third.data[19] & P2_FLAG_ENCRYPTED &&
                         len <= sizeof(plain));
    p2_keymat_phase1_iv(&corpus->keys, &secrets, iv);
    p2_cipher_decrypt(&corpus->keys.cipher_key, iv, plain, third.data + P2_ISAKMP_HEADER_LEN, len);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(&payloads[2], third.data[16], plain, len), P2_OK);
    const struct p2_payload *hash_i = p2_isakmp_find(&payloads[2], P2_PAYLOAD_HASH, 0);
    CU_ASSERT_TRUE(hash_i && hash_i->body.len == 20);
    CU_ASSERT_PTR_NOT_NULL(p2_isakmp_find(&payloads[2], P2_PAYLOAD_NAT_D, 1));
    CU_ASSERT_EQUAL(memcmp(corpus->keys.last_block, third.data + third.len - 16, 16), 0);
    corpus_free(corpus);
    free(corpus);
}

/* Frames of ESP, or with `quick` of one Quick Mode, copies included. */
static size_t count_frames(const struct corpus *corpus, const struct corpus_quick *quick)
{
    size_t num = 0;
    for (size_t i = 0; i < corpus->capture.num_frames; i++) {
        const struct corpus_frame *frame = &corpus->capture.frames[i];
        const struct p2_isakmp_header *header = &(frame->copy_of ? frame->copy_of : frame)->message.header;
        if (quick)
            num += frame->phase2 && header->exchange_type == P2_EXCHANGE_QUICK &&
                   header->message_id == quick->message_id;
        else
            num += frame->esp;
    }
    return num;
}

/* The captures hold what their expectations count, so that nothing above passes for want of data. */
static void captures_are_whole(void)
{
    static const char *const names[] = {"qm-nopfs-aes128-sha1", "qm-pfs-modp1024-aes128-sha1",
                                        "no-proposal-chosen", "rekey-under-traffic", "aggressive-mode"};
    size_t num_quicks = 0, num_messages = 0, num_sas = 0, num_ipsec = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct corpus *corpus = calloc(1, sizeof(*corpus));
        if (!corpus)
            abort();
        corpus_load(corpus, names[i]);
        CU_ASSERT_EQUAL(count_frames(corpus, NULL), corpus->num_ipsec);
        for (size_t k = 0; k < corpus->num_quicks; k++) {
            CU_ASSERT_EQUAL(count_frames(corpus, &corpus->quicks[k]), corpus->quicks[k].num_messages);
            num_messages += corpus->quicks[k].num_messages;
        }
        num_quicks += corpus->num_quicks;
        num_sas += corpus->num_sas;
        num_ipsec += corpus->num_ipsec;
        corpus_free(corpus);
        free(corpus);
    }
    CU_ASSERT_EQUAL(num_quicks, 9);
    CU_ASSERT_EQUAL(num_messages, 3 + 3 + 1 + 5 * 3 + 4);
    CU_ASSERT_EQUAL(num_sas, 16);
    CU_ASSERT_EQUAL(num_ipsec, 3 * 42 + 522);
}

/* Frame 9 of no-proposal-chosen is the DELETE of its ISAKMP SA. Naming the cookies of another one, it must
 * not take the one that carries it: the next Quick Mode still finds it. */
static void delete_of_another_isakmp_sa_takes_nothing(void)
{
    struct corpus c;
    struct play p;
    uint8_t plain[128], out[256];
    corpus_load(&c, "no-proposal-chosen");
    play_open(&p, &c, CORPUS_RESPONDER);
    const struct corpus_frame *delete = &c.capture.frames[8], *quick = &c.capture.frames[6];
    struct corpus_message m = delete->message;
    memcpy(plain, m.plain, m.plain_len);
    m.plain = plain;
    memset(plain + 24 + 12, 0x55, 16);
    p2_keymat_hash_1_2(&c.keys, m.header.message_id, NULL, (struct p2_bytes){plain + 24, 28}, plain + 4);
    corpus_message_carry(out, &p.chains, &c.keys, &m, delete->content);
    play_receive(&p, out, delete->content.len);
    p.received_len = 0;
    corpus_message_carry(out, &p.chains, &c.keys, &quick->message, quick->content);
    play_receive(&p, out, quick->content.len);
    CU_ASSERT_EQUAL(p.drops[P2_DROP_UNKNOWN_COOKIE], 0);
    CU_ASSERT_EQUAL(p.drops[P2_DROP_HASH_MISMATCH], 0);
    play_close(&p);
    corpus_free(&c);
}

CHECK_MAIN("corpus", {"captures are whole", captures_are_whole},
           {"without PFS, as initiator", nopfs_initiator}, {"without PFS, as responder", nopfs_responder},
           {"PFS group 2, as initiator", pfs_initiator}, {"PFS group 2, as responder", pfs_responder},
           {"refused as initiator", refused_initiator}, {"refusing as responder", refusing_responder},
           {"five Quick Modes and their traffic, as initiator", rekeying_initiator},
           {"five Quick Modes and their traffic, as responder", rekeyed_responder},
           {"a resent first message, as initiator", resending_initiator},
           {"a resent first message, as responder", resent_to_responder},
           {"aggressive mode chains its IVs", aggressive_mode_chains_its_ivs},
           {"delete of another ISAKMP SA takes nothing", delete_of_another_isakmp_sa_takes_nothing})
