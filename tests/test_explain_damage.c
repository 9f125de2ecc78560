/* `explain` on captures that were damaged: changed bits, duplicates and packets out of order, files that
 * break off, and frames of nothing but chance. Nothing that was changed may look good. */
#include "explain_fixture.h"

/* --- changed bits --- */

/* The decrypted payloads without the padding behind them. */
static size_t payloads_len(const struct explain_message *m)
{
    struct p2_payloads p;
    return m->reading == EXPLAIN_DECRYPTED && explain_payloads(m, &p) ? p.len : 0;
}

static bool has_same_payloads(const struct explain_message *m, const struct explanation *whole)
{
    size_t len = payloads_len(m);
    for (size_t i = 0; i < whole->num_messages && len > 0; i++) {
        const struct explain_message *other = &whole->messages[i];
        if (payloads_len(other) != len)
            continue;
        /* The generic header of the HASH payload itself is under no HASH. */
        if (memcmp(m->plain + 4, other->plain + 4, len - 4) == 0)
            return true;
    }
    return false;
}

/* A message that was changed must not pass; those of other exchanges must not suffer. */
static void check_after_a_flip(const struct explanation *e, const struct explanation *whole, uint64_t frame,
                               uint32_t message_id, size_t bit)
{
    size_t good = 0, others = 0, false_good = 0;
    for (size_t i = 0; i < e->num_messages; i++) {
        const struct explain_message *m = &e->messages[i];
        bool is_good = m->hash == EXPLAIN_HASH_GOOD;
        false_good += is_good && !has_same_payloads(m, whole);
        good += is_good && m->frame != frame && m->header.message_id != message_id;
    }
    for (size_t i = 0; i < whole->num_messages; i++) {
        const struct explain_message *m = &whole->messages[i];
        others += m->hash == EXPLAIN_HASH_GOOD && m->header.message_id != message_id;
    }
    if (false_good > 0 || good != others)
        printf("\n      frame %" PRIu64 ", bit %zu\n", frame, bit);
    CU_ASSERT_EQUAL(false_good, 0);
    CU_ASSERT_EQUAL(good, others);
}

static void flip_every_bit_of_phase_2(size_t which, size_t step)
{
    struct records r = records_load(corpus_cases[which]);
    struct known_keys keys = keys_of(corpus_cases[which]);
    records_drop_all(&r, is_esp);
    struct explanation *whole = explain_records(&r, &keys);
    for (size_t i = 0; i < r.num; i++) {
        if (!is_phase2(&r.list[i]))
            continue;
        uint32_t message_id = message_id_of(&r.list[i]);
        for (size_t bit = i % step; bit < 8 * r.list[i].len; bit += step) {
            flip(&r.list[i], bit);
            struct explanation *e = explain_records(&r, &keys);
            check_after_a_flip(e, whole, i + 1, message_id, bit);
            explanation_free(e);
            flip(&r.list[i], bit);
        }
    }
    explanation_free(whole);
    known_keys_cleanup(&keys);
    records_free(&r);
}

static void a_changed_bit_makes_no_other_message_good(void)
{
    for (size_t i = 0; i < NUM_CASES; i++)
        flip_every_bit_of_phase_2(i, i == REKEYED ? 29 : 3);
}

static void a_changed_bit_of_an_esp_packet_is_one_bad_icv(void)
{
    struct records r = records_load(corpus_cases[NOPFS]);
    struct known_keys keys = keys_of(corpus_cases[NOPFS]);
    for (size_t n = 0; n < 42; n += 5) {
        struct record *record = &r.list[records_find(&r, is_esp, n)];
        size_t end = ETHERNET_HEADER + p2_get_u16(record->bytes + ETHERNET_HEADER + 2);
        for (size_t bit = 8 * ESP_OFFSET; bit < 8 * end; bit += bit < 8 * (ESP_OFFSET + 8) ? 1 : 37) {
            bool of_spi = bit < 8 * (ESP_OFFSET + 4);
            flip(record, bit);
            struct explanation *e = explain_records(&r, &keys);
            CU_ASSERT_EQUAL(e->ipsec.icv_ok, 41);
            CU_ASSERT_EQUAL(e->ipsec.icv_bad, of_spi ? 0 : 1);
            CU_ASSERT_EQUAL(e->ipsec.unknown_spi, of_spi ? 1 : 0);
            CU_ASSERT_EQUAL(e->ipsec.replayed + e->ipsec.too_old, 0);
            explanation_free(e);
            flip(record, bit);
        }
    }
    known_keys_cleanup(&keys);
    records_free(&r);
}

/* --- duplicates and order --- */

static void each_packet_twice_is_replayed_once(void)
{
    struct records r = records_load(corpus_cases[NOPFS]);
    struct known_keys keys = keys_of(corpus_cases[NOPFS]);
    for (size_t i = r.num; i-- > 0;) {
        if (is_esp(&r.list[i]))
            records_insert(&r, i + 1, &r.list[i]);
    }
    const uint32_t windows[] = {0, 1, 64, P2_REPLAY_MAX_WIDTH};
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        struct explanation *e = explain_with(&r, &keys, windows[i]);
        CU_ASSERT_EQUAL(e->ipsec.packets, 84);
        CU_ASSERT_EQUAL(e->ipsec.icv_ok, 84);
        CU_ASSERT_EQUAL(e->ipsec.replayed, windows[i] == 0 ? 0 : 42);
        CU_ASSERT_EQUAL(e->ipsec.too_old, 0);
        for (size_t k = 0; k < e->num_sas; k++)
            CU_ASSERT_EQUAL(e->sas[k].replayed, windows[i] == 0 ? 0 : 21);
        explanation_free(e);
    }
    known_keys_cleanup(&keys);
    records_free(&r);
}

/* Packet 1 of one SA after its packet 21: it is late by 20, which a window of 21 just still covers. */
static void a_packet_that_comes_later_than_the_window_is_too_old(void)
{
    struct records r = records_load(corpus_cases[NOPFS]);
    struct known_keys keys = keys_of(corpus_cases[NOPFS]);
    records_move(&r, records_find(&r, is_esp, 0), records_find(&r, is_esp, 41));
    const uint32_t windows[] = {0, 1, 2, 19, 20, 21, 64};
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        struct explanation *e = explain_with(&r, &keys, windows[i]);
        bool too_old = windows[i] != 0 && windows[i] < 21;
        uint64_t late = 0;
        for (size_t k = 0; k < e->num_sas; k++)
            late += e->sas[k].late;
        CU_ASSERT_EQUAL(e->ipsec.icv_ok, 42);
        CU_ASSERT_EQUAL(e->ipsec.too_old, too_old);
        CU_ASSERT_EQUAL(e->ipsec.replayed, 0);
        CU_ASSERT_EQUAL(late, !too_old);
        explanation_free(e);
    }
    known_keys_cleanup(&keys);
    records_free(&r);
}

static void each_ike_message_twice_changes_nothing(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct records r = records_load(corpus_cases[i]);
        struct known_keys keys = keys_of(corpus_cases[i]);
        for (size_t k = r.num; k-- > 0;) {
            if (is_ike(&r.list[k]))
                records_insert(&r, k + 1, &r.list[k]);
        }
        struct explanation *e = explain_records(&r, &keys);
        CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_BAD), 0);
        CU_ASSERT_EQUAL(count_outcome(e, EXPLAIN_ESTABLISHED), count_keyed(e) / 2);
        CU_ASSERT_EQUAL(e->ipsec.icv_ok, e->ipsec.packets);
        for (size_t k = 0; k < e->num_messages; k++)
            CU_ASSERT_TRUE(e->messages[k].copy_of != EXPLAIN_NONE || e->messages[k].copies % 2 == 1);
        explanation_free(e);
        known_keys_cleanup(&keys);
        records_free(&r);
    }
}

/* --- captures that are cut --- */

static void a_file_that_breaks_off_is_explained_up_to_there(void)
{
    struct records r = records_load(corpus_cases[NOPFS]);
    struct known_keys keys = keys_of(corpus_cases[NOPFS]);
    size_t len, end = 24, whole = 0, esp = 0;
    uint8_t *file = records_file(&r, &len);
    for (size_t cut = 1; cut <= len; cut += cut < 3000 ? 1 : 17) {
        while (whole < r.num && end + 16 + r.list[whole].len <= cut) {
            esp += is_esp(&r.list[whole]);
            end += 16 + r.list[whole++].len;
        }
        struct explanation *e = explain_file(file, cut, &keys, EXPLAIN_WINDOW);
        CU_ASSERT_EQUAL(e != NULL, cut >= 24);
        if (!e)
            continue;
        CU_ASSERT_EQUAL(e->broken[0] != '\0', cut != end);
        CU_ASSERT_EQUAL(e->frames.packets, whole);
        CU_ASSERT_EQUAL(e->ipsec.icv_ok, esp);
        CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_BAD), 0);
        CU_ASSERT_EQUAL(count_outcome(e, EXPLAIN_ESTABLISHED), whole >= 9);
        explanation_free(e);
    }
    free(file);
    known_keys_cleanup(&keys);
    records_free(&r);
}

static void a_snap_length_leaves_what_is_whole(void)
{
    struct known_keys keys = keys_of(corpus_cases[NOPFS]);
    for (size_t snap = 0; snap < 420; snap++) {
        struct records r = records_load(corpus_cases[NOPFS]);
        size_t whole_esp = 0, whole_phase2 = 0;
        for (size_t i = 0; i < r.num; i++) {
            struct record *record = &r.list[i];
            whole_esp += is_esp(record) && record->len <= snap;
            whole_phase2 += is_phase2(record) && record->len <= snap;
            record->len = record->len < snap ? record->len : snap;
        }
        struct explanation *e = explain_records(&r, &keys);
        CU_ASSERT_STRING_EQUAL(e->broken, "");
        CU_ASSERT_EQUAL(e->frames.frames, r.num);
        CU_ASSERT_TRUE(e->ipsec.icv_ok <= whole_esp);
        CU_ASSERT_TRUE(snap < 230 || e->ipsec.icv_ok == whole_esp); /* messages 1 and 2 are there */
        CU_ASSERT_EQUAL(e->ipsec.icv_bad, 0);
        CU_ASSERT_TRUE(count_hash(e, EXPLAIN_HASH_GOOD) <= whole_phase2);
        CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_BAD), 0);
        explanation_free(e);
        records_free(&r);
    }
    known_keys_cleanup(&keys);
}

/* In front of the right message 2, one that differs in a bit: whatever it says, it makes no SA in the end. */
static void a_forged_message_2_spoils_nothing(void)
{
    struct records whole = records_load("qm-nopfs-aes128-sha1");
    struct known_keys keys = keys_of("qm-nopfs-aes128-sha1");
    json_t *expect = expectations("qm-nopfs-aes128-sha1");
    size_t at = records_find(&whole, is_quick, 1), bad = 0;
    for (size_t bit = (IKE_OFFSET + P2_ISAKMP_HEADER_LEN) * 8u; bit < whole.list[at].len * 8; bit += 13) {
        struct records r = records_copy(&whole);
        records_insert(&r, at, &whole.list[at]);
        flip(&r.list[at], bit);
        struct explanation *e = explain_records(&r, &keys);
        bad += count_hash(e, EXPLAIN_HASH_BAD);
        CU_ASSERT_EQUAL(e->exchanges[1].num_sas, 2);
        CU_ASSERT_EQUAL(e->ipsec.icv_ok, 42);
        CU_ASSERT_EQUAL(count_right_keys(e, expect), 2);
        CU_ASSERT_EQUAL(count_outcome(e, EXPLAIN_ESTABLISHED), 1);
        explanation_free(e);
        records_free(&r);
    }
    CU_ASSERT_TRUE(bad > 20); /* of those that still look like one */
    json_decref(expect);
    known_keys_cleanup(&keys);
    records_free(&whole);
}

/* --- chance --- */

struct noise {
    struct test_random random;
    uint8_t cookies[NUM_CASES][16];
    uint32_t spis[2];
    uint8_t bytes[400];
};

static void put_ip(struct noise *n, uint8_t protocol, size_t payload_len)
{
    struct p2_ip_header header = {
        .source = p2_address_v4(0x0a630001 + (uint32_t)test_random_below(&n->random, 2)),
        .destination = p2_address_v4(0x0a630001 + (uint32_t)test_random_below(&n->random, 2)),
        .ttl = 64,
        .protocol = protocol,
        .payload_len = payload_len};
    p2_put_u16(n->bytes + 12, 0x0800);
    p2_ip_build(n->bytes + ETHERNET_HEADER, &header);
}

static void shape_udp(struct noise *n, size_t len)
{
    uint8_t *udp = n->bytes + ESP_OFFSET, *isakmp = n->bytes + IKE_OFFSET;
    bool nat_t = test_random_below(&n->random, 2);
    put_ip(n, P2_IP_PROTO_UDP, len - ESP_OFFSET);
    p2_put_u16(udp, nat_t ? 4500 : 500);
    p2_put_u16(udp + 2, nat_t ? 4500 : 500);
    p2_put_u16(udp + 4, (uint16_t)(len - ESP_OFFSET));
    if (nat_t && test_random_below(&n->random, 4) == 0) {
        p2_put_u32(isakmp, n->spis[test_random_below(&n->random, 2)]);
        return;
    }
    if (nat_t) {
        p2_put_u32(isakmp, 0);
        isakmp += 4;
    }
    static const uint8_t types[] = {2, 4, 5, 32, 33, 6};
    memcpy(isakmp, n->cookies[test_random_below(&n->random, NUM_CASES)], 16);
    isakmp[17] = 0x10;
    isakmp[18] = types[test_random_below(&n->random, sizeof types)];
    size_t have = len - (size_t)(isakmp - n->bytes);
    if (test_random_below(&n->random, 8) != 0) { /* as long as it says, in whole blocks */
        have = P2_ISAKMP_HEADER_LEN + (have - P2_ISAKMP_HEADER_LEN) / 16 * 16;
        isakmp[19] |= P2_FLAG_ENCRYPTED;
        isakmp[16] = P2_PAYLOAD_HASH;
    }
    p2_put_u32(isakmp + 24, (uint32_t)have);
}

static void shape_ipsec(struct noise *n, size_t len)
{
    bool ah = test_random_below(&n->random, 4) == 0;
    put_ip(n, ah ? P2_IP_PROTO_AH : P2_IP_PROTO_ESP, len - ESP_OFFSET);
    if (test_random_below(&n->random, 2))
        p2_put_u32(n->bytes + ESP_OFFSET + (ah ? 4 : 0), n->spis[test_random_below(&n->random, 2)]);
    if (ah)
        n->bytes[ESP_OFFSET + 1] = 4;
}

static struct record random_record(struct noise *n)
{
    size_t shape = test_random_below(&n->random, 4), len = 80 + test_random_below(&n->random, 300);
    struct p2_random random = test_random(&n->random);
    test_random_fill(random.ctx, 0, n->bytes, len);
    if (shape == 0)
        len = test_random_below(&n->random, len);
    else if (shape == 1)
        shape_ipsec(n, len);
    else
        shape_udp(n, len);
    return (struct record){n->bytes, len, len, 0, 0};
}

static void frames_of_chance_are_good_for_nothing(void)
{
    struct noise *n = must(calloc(1, sizeof *n));
    struct known_keys keys = {0};
    struct explanation *e;
    /* The SPIs of a Quick Mode whose messages are not here, but whose keys are in a table: without them none
     * of the noise would get as far as an ICV. */
    struct known_esp line = {.family = 4,
                             .any_source = true,
                             .any_destination = true,
                             .cipher = P2_CIPHER_AES128_CBC,
                             .auth = P2_AUTH_HMAC_SHA1_96};
    struct known_esp lines[2] = {line, line}, *own;
    n->random.seed = check_setting("P2_SEED", 1);
    for (size_t i = 0; i < NUM_CASES; i++) {
        add_keys(&keys, corpus_cases[i]);
        memcpy(n->cookies[i], keys.isakmp[i].initiator_cookie, 8);
        memcpy(n->cookies[i] + 8, keys.isakmp[i].responder_cookie, 8);
    }
    lines[0].spi = n->spis[0] = 0x229cf959;
    lines[1].spi = n->spis[1] = 0xaf823cb1;
    own = keys.esp;
    keys.esp = lines;
    keys.num_esp = 2;
    uint64_t num = check_setting("P2_FRAMES", 100000);
    check_ok(explanation_new(&e, &keys, EXPLAIN_WINDOW, true));
    for (uint64_t i = 0; i < num; i++) {
        struct record record = random_record(n);
        if (record.len <= ETHERNET_HEADER)
            continue;
        struct frame frame = {.number = i + 1,
                              .at = (p2_time)i,
                              .packet = {record.bytes + ETHERNET_HEADER, record.len - ETHERNET_HEADER},
                              .fragments = 1};
        check_ok(explanation_hear(e, &frame));
    }
    CU_ASSERT_TRUE(e->isakmp_messages > num / 4 && e->ipsec.icv_bad > num / 20);
    CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_GOOD), 0);
    CU_ASSERT_EQUAL(count_outcome(e, EXPLAIN_ESTABLISHED), 0);
    CU_ASSERT_EQUAL(e->ipsec.icv_ok, 0);
    CU_ASSERT_EQUAL(e->ipsec.replayed + e->ipsec.too_old, 0);
    CU_ASSERT_EQUAL(count_keyed(e), 2);
    CU_ASSERT_TRUE(e->num_messages <= e->isakmp_messages && e->num_exchanges <= e->isakmp_messages);
    CU_ASSERT_TRUE(e->num_unknown_spis <= EXPLAIN_MAX_UNKNOWN_SPIS && e->num_pairs <= EXPLAIN_MAX_PAIRS);
    CU_ASSERT_TRUE(e->num_samples <= EXPLAIN_MAX_SAMPLES);
    explanation_free(e);
    keys.esp = own;
    keys.num_esp = 0;
    known_keys_cleanup(&keys);
    free(n);
}

/* The same through a file, after a whole capture: what was negotiated stays as it was. */
static void noise_does_not_spoil_what_is_good(void)
{
    struct noise *n = must(calloc(1, sizeof *n));
    struct records r = records_load(corpus_cases[PFS]);
    struct known_keys keys = keys_of(corpus_cases[PFS]);
    json_t *expect = expectations(corpus_cases[PFS]);
    n->random.seed = check_setting("P2_SEED", 2);
    for (size_t i = 0; i < NUM_CASES; i++)
        test_random_fill(&n->random, 0, n->cookies[i], 16);
    memcpy(n->cookies[0], r.list[2].bytes + IKE_OFFSET, 16); /* its own, among others */
    for (size_t i = 0; i < 2000; i++) {
        struct record noise = random_record(n);
        records_insert(&r, test_random_below(&n->random, r.num), &noise);
    }
    struct explanation *e = explain_records(&r, &keys);
    CU_ASSERT_EQUAL(e->ipsec.icv_ok, 42);
    CU_ASSERT_EQUAL(count_outcome(e, EXPLAIN_ESTABLISHED), 1);
    CU_ASSERT_EQUAL(count_right_keys(e, expect), 2);
    CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_GOOD), 5);
    json_decref(expect);
    explanation_free(e);
    known_keys_cleanup(&keys);
    records_free(&r);
    free(n);
}

/* --- limits --- */

static void memory_for_unknown_spis_and_pairs_is_bounded(void)
{
    struct explanation *e;
    uint8_t packet[120] = {0};
    const uint64_t num = 3 * EXPLAIN_MAX_UNKNOWN_SPIS;
    check_ok(explanation_new(&e, NULL, EXPLAIN_WINDOW, true));
    for (uint32_t i = 0; i < num; i++) {
        struct p2_ip_header header = {.source = p2_address_v4(0x0a000000 + i),
                                      .destination = p2_address_v4(0x0b000000),
                                      .ttl = 64,
                                      .protocol = P2_IP_PROTO_ESP,
                                      .payload_len = 100};
        size_t len = p2_ip_build(packet, &header);
        p2_put_u32(packet + len, 0x1000 + i);
        p2_put_u32(packet + len + 4, 1);
        struct frame frame = {.number = i + 1, .packet = {packet, sizeof packet}, .fragments = 1};
        check_ok(explanation_hear(e, &frame));
    }
    CU_ASSERT_EQUAL(e->num_unknown_spis, EXPLAIN_MAX_UNKNOWN_SPIS);
    CU_ASSERT_EQUAL(e->num_sas, EXPLAIN_MAX_UNKNOWN_SPIS);
    CU_ASSERT_EQUAL(e->num_pairs, EXPLAIN_MAX_PAIRS);
    CU_ASSERT_EQUAL(e->num_samples, EXPLAIN_MAX_SAMPLES);
    CU_ASSERT_EQUAL(e->ipsec.packets, num);
    CU_ASSERT_EQUAL(e->ipsec.unknown_spi, num);
    explanation_free(e);
}

CHECK_MAIN("explain: damage",
           {"a changed bit makes no other message good", a_changed_bit_makes_no_other_message_good},
           {"a changed bit of an ESP packet is one bad ICV", a_changed_bit_of_an_esp_packet_is_one_bad_icv},
           {"each packet twice is replayed once", each_packet_twice_is_replayed_once},
           {"a packet that comes later than the window is too old",
            a_packet_that_comes_later_than_the_window_is_too_old},
           {"each IKE message twice changes nothing", each_ike_message_twice_changes_nothing},
           {"a file that breaks off is explained up to there",
            a_file_that_breaks_off_is_explained_up_to_there},
           {"a snap length leaves what is whole", a_snap_length_leaves_what_is_whole},
           {"a forged message 2 spoils nothing", a_forged_message_2_spoils_nothing},
           {"frames of chance are good for nothing", frames_of_chance_are_good_for_nothing},
           {"noise does not spoil what is good", noise_does_not_spoil_what_is_good},
           {"memory for unknown SPIs and pairs is bounded", memory_for_unknown_spis_and_pairs_is_bounded})
