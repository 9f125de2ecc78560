/* `explain` on captures of real daemons: what expect.json says of each comes out, with and without what a
 * capture or its keys may lack; and wrong keys make nothing look good. */
#include "explain_fixture.h"

static void explains_every_case_of_the_corpus(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct records r = records_load(corpus_cases[i]);
        struct known_keys keys = keys_of(corpus_cases[i]);
        struct explanation *e = explain_records(&r, &keys);
        check_as_expected(e, corpus_cases[i]);
        CU_ASSERT_EQUAL(e->num_isakmps, 1);
        CU_ASSERT_TRUE(e->isakmps[0].initiator_known && !e->isakmps[0].iv_differs);
        CU_ASSERT_EQUAL(e->isakmps[0].nonsense, 0);
        explanation_free(e);
        known_keys_cleanup(&keys);
        records_free(&r);
    }
}

static void names_the_algorithms_and_lifetimes_of_each_sa(void)
{
    struct records r = records_load(corpus_cases[PFS]);
    struct known_keys keys = keys_of(corpus_cases[PFS]);
    struct explanation *e = explain_records(&r, &keys);
    CU_ASSERT_EQUAL_FATAL(e->num_sas, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct explain_sa *sa = &e->sas[i];
        CU_ASSERT_EQUAL(sa->protocol, P2_PROTO_ESP);
        CU_ASSERT_EQUAL(sa->mode, P2_MODE_TUNNEL);
        CU_ASSERT_STRING_EQUAL(sa->encryption, "aes-128-cbc");
        CU_ASSERT_STRING_EQUAL(sa->authentication, "hmac-sha1-96");
        CU_ASSERT_EQUAL(sa->lifetime_s, 3960);
        CU_ASSERT_EQUAL(sa->packets, 21);
        CU_ASSERT_EQUAL(sa->first_sequence, 1);
        CU_ASSERT_EQUAL(sa->top, 21);
        CU_ASSERT_EQUAL(sa->outside, 0);
        CU_ASSERT_TRUE(p2_address_equal(&sa->source, &e->sas[1 - i].destination));
        bool to_responder = p2_address_equal(&sa->source, &e->isakmps[0].initiator);
        CU_ASSERT_STRING_EQUAL(sa->inside,
                               to_responder ? "10.1.0.1 to 10.2.0.1 icmp" : "10.2.0.1 to 10.1.0.1 icmp");
    }
    explanation_free(e);
    known_keys_cleanup(&keys);
    records_free(&r);
}

static void a_resent_message_is_a_copy_of_the_first_one(void)
{
    struct records r = records_load(corpus_cases[AGGRESSIVE]);
    struct known_keys keys = keys_of(corpus_cases[AGGRESSIVE]);
    struct explanation *e = explain_records(&r, &keys);
    const struct explain_exchange *x = find_exchange(e, 0xdccfc9d0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    const struct explain_message *first = &e->messages[x->part[0]];
    CU_ASSERT_EQUAL(first->frame, 4);
    CU_ASSERT_EQUAL(first->copies, 1);
    CU_ASSERT_EQUAL(e->messages[first->last_copy].frame, 5);
    CU_ASSERT_PTR_EQUAL(explain_original(e, &e->messages[first->last_copy]), first);
    CU_ASSERT_TRUE(story_has(e, x, "Quick Mode 1 (frame 4) was sent 2 times."));
    explanation_free(e);
    known_keys_cleanup(&keys);
    records_free(&r);
}

static void a_delete_takes_down_the_sa_it_names(void)
{
    struct records r = records_load(corpus_cases[NOPFS]);
    struct known_keys keys = keys_of(corpus_cases[NOPFS]);
    struct explanation *e = explain_records(&r, &keys);
    for (size_t i = 0; i < e->num_sas; i++)
        CU_ASSERT_EQUAL(e->sas[i].deleted != EXPLAIN_NONE, e->sas[i].spi == 0xaf823cb1);
    CU_ASSERT_NOT_EQUAL_FATAL(e->isakmps[0].deleted, EXPLAIN_NONE);
    CU_ASSERT_EQUAL(e->messages[e->isakmps[0].deleted].frame, 53);
    explanation_free(e);
    known_keys_cleanup(&keys);
    records_free(&r);
}

/* --- what need not be there --- */

static void phase_1_need_not_be_in_the_capture(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct records r = records_load(corpus_cases[i]);
        struct known_keys keys = keys_of(corpus_cases[i]);
        records_drop_all(&r, is_phase1);
        struct explanation *e = explain_records(&r, &keys);
        check_as_expected(e, corpus_cases[i]);
        CU_ASSERT_EQUAL(e->isakmps[0].phase1, EXPLAIN_NONE);
        CU_ASSERT_FALSE(e->isakmps[0].initiator_known);
        CU_ASSERT_TRUE(notes_have(e, "Phase 1 is not in the capture"));
        explanation_free(e);
        known_keys_cleanup(&keys);
        records_free(&r);
    }
}

static void a_wrong_iv_is_noted_and_phase_1_shows_the_right_one(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct records r = records_load(corpus_cases[i]);
        struct known_keys keys = keys_of(corpus_cases[i]);
        keys.isakmp[0].iv[0] ^= 1;
        struct explanation *e = explain_records(&r, &keys);
        check_as_expected(e, corpus_cases[i]);
        CU_ASSERT_TRUE(e->isakmps[0].iv_differs);
        CU_ASSERT_TRUE(notes_have(e, "the IV that is given is not what Phase 1 ends with"));
        explanation_free(e);
        known_keys_cleanup(&keys);
        records_free(&r);
    }
}

static void an_iv_need_not_be_given_where_phase_1_is_in_the_capture(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct records r = records_load(corpus_cases[i]);
        struct known_keys keys = keys_of(corpus_cases[i]);
        keys.isakmp[0].has_iv = false;
        keys.isakmp[0].cipher = P2_CIPHER_NONE;
        keys.isakmp[0].hash = P2_HASH_NONE;
        struct explanation *e = explain_records(&r, &keys);
        check_as_expected(e, corpus_cases[i]);
        CU_ASSERT_FALSE(e->isakmps[0].iv_differs);
        explanation_free(e);
        known_keys_cleanup(&keys);
        records_free(&r);
    }
}

static void nothing_encrypted_is_readable_without_keys(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct records r = records_load(corpus_cases[i]);
        struct explanation *e = explain_records(&r, NULL);
        json_t *expect = expectations(corpus_cases[i]);
        size_t quick = json_object_size(json_object_get(expect, "quick_mode_message_ids"));
        CU_ASSERT_EQUAL(count_outcome(e, EXPLAIN_UNDECRYPTABLE), quick);
        CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_GOOD) + count_hash(e, EXPLAIN_HASH_BAD), 0);
        CU_ASSERT_EQUAL(count_keyed(e), 0);
        CU_ASSERT_EQUAL(e->ipsec.icv_ok + e->ipsec.icv_bad, 0);
        CU_ASSERT_EQUAL(e->ipsec.unknown_spi, e->ipsec.packets);
        CU_ASSERT_EQUAL(e->ipsec.packets,
                        (uint64_t)json_integer_value(json_object_get(expect, "ipsec_packets")));
        for (size_t k = 0; k < e->num_messages; k++)
            CU_ASSERT_TRUE(e->messages[k].header.message_id == 0 || e->messages[k].copy_of != EXPLAIN_NONE ||
                           e->messages[k].reading == EXPLAIN_NO_KEYS);
        CU_ASSERT_TRUE(notes_have(e, "no keys are given for it"));
        json_decref(expect);
        explanation_free(e);
        records_free(&r);
    }
}

static void two_isakmp_sas_in_one_capture_have_each_their_own_keys(void)
{
    struct records r = records_load(corpus_cases[PFS]), second = records_load(corpus_cases[AGGRESSIVE]);
    struct known_keys keys = keys_of(corpus_cases[AGGRESSIVE]);
    add_keys(&keys, corpus_cases[PFS]);
    records_append(&r, &second);
    struct explanation *e = explain_records(&r, &keys);
    json_t *expect[2] = {expectations(corpus_cases[PFS]), expectations(corpus_cases[AGGRESSIVE])};
    CU_ASSERT_EQUAL(e->num_isakmps, 2);
    CU_ASSERT_EQUAL(e->num_pairs, 1);
    CU_ASSERT_EQUAL(e->num_sas, 4);
    size_t right = 0;
    for (size_t i = 0; i < 2; i++) {
        check_quick_modes(e, expect[i]);
        for (size_t k = 0; k < e->num_sas; k++)
            right += has_exported_keys(&e->sas[k], expect[i]);
        json_decref(expect[i]);
    }
    CU_ASSERT_EQUAL(right, 4);
    CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_BAD), 0);
    CU_ASSERT_EQUAL(e->ipsec.packets, 84);
    CU_ASSERT_EQUAL(e->ipsec.icv_ok, 84);
    explanation_free(e);
    known_keys_cleanup(&keys);
    records_free(&second);
    records_free(&r);
}

/* --- wrong keys --- */

/* Each case of the corpus with its keys changed. */
static void with_changed_keys(void (*change)(struct known_keys *),
                              void (*check)(const struct explanation *, const char *))
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct records r = records_load(corpus_cases[i]);
        struct known_keys keys = keys_of(corpus_cases[i]);
        change(&keys);
        struct explanation *e = explain_records(&r, &keys);
        check(e, corpus_cases[i]);
        explanation_free(e);
        known_keys_cleanup(&keys);
        records_free(&r);
    }
}

static void change_skeyid_a(struct known_keys *keys)
{
    keys->isakmp[0].skeyid_a[0] ^= 1;
}

static void check_hashes_are_bad(const struct explanation *e, const char *name)
{
    json_t *expect = expectations(name);
    CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_GOOD), 0);
    CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_BAD), e->isakmps[0].opened);
    CU_ASSERT_TRUE(e->isakmps[0].opened > 0);
    CU_ASSERT_EQUAL(count_outcome(e, EXPLAIN_ESTABLISHED) + count_outcome(e, EXPLAIN_REJECTED), 0);
    count_right_keys(e, expect);
    json_decref(expect);
}

static void no_hash_is_good_with_a_wrong_skeyid_a(void)
{
    with_changed_keys(change_skeyid_a, check_hashes_are_bad);
}

static void change_skeyid_d(struct known_keys *keys)
{
    keys->isakmp[0].skeyid_d[19] ^= 0x80;
}

static void check_icvs_are_bad(const struct explanation *e, const char *name)
{
    json_t *expect = expectations(name);
    check_quick_modes(e, expect);
    CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_BAD), 0);
    CU_ASSERT_EQUAL(e->ipsec.icv_ok, 0);
    CU_ASSERT_EQUAL(e->ipsec.icv_bad, e->ipsec.packets);
    CU_ASSERT_EQUAL(e->ipsec.packets, (uint64_t)json_integer_value(json_object_get(expect, "ipsec_packets")));
    for (size_t i = 0; i < e->num_sas; i++)
        CU_ASSERT_FALSE(has_exported_keys(&e->sas[i], expect));
    json_decref(expect);
}

static void no_icv_is_good_with_a_wrong_skeyid_d(void)
{
    with_changed_keys(change_skeyid_d, check_icvs_are_bad);
}

static void change_skeyid_e(struct known_keys *keys)
{
    keys->isakmp[0].skeyid_e[7] ^= 4;
}

static void check_nothing_decrypts(const struct explanation *e, const char *name)
{
    (void)name;
    CU_ASSERT_EQUAL(e->isakmps[0].opened, 0);
    CU_ASSERT_TRUE(e->isakmps[0].nonsense > 0);
    CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_GOOD) + count_hash(e, EXPLAIN_HASH_BAD), 0);
    CU_ASSERT_EQUAL(e->ipsec.icv_ok, 0);
    CU_ASSERT_EQUAL(e->ipsec.unknown_spi, e->ipsec.packets);
    CU_ASSERT_EQUAL(count_keyed(e), 0);
    CU_ASSERT_TRUE(notes_have(e, "nothing decrypts with the keys that are given"));
    for (size_t i = 0; i < e->num_exchanges; i++) {
        if (e->exchanges[i].quick)
            CU_ASSERT_EQUAL(explain_outcome(e, &e->exchanges[i]), EXPLAIN_UNDECRYPTABLE);
    }
}

static void nothing_decrypts_with_a_wrong_skeyid_e(void)
{
    with_changed_keys(change_skeyid_e, check_nothing_decrypts);
}

static void without_the_dh_secret_a_quick_mode_with_pfs_has_no_keys(void)
{
    struct records r = records_load(corpus_cases[PFS]);
    struct known_keys keys = keys_of(corpus_cases[PFS]);
    keys.num_secrets = 0;
    struct explanation *e = explain_records(&r, &keys);
    const struct explain_exchange *x = find_exchange(e, 0x9c88846c);
    CU_ASSERT_EQUAL(explain_outcome(e, x), EXPLAIN_ESTABLISHED);
    CU_ASSERT_EQUAL(count_keyed(e), 0);
    CU_ASSERT_EQUAL(e->ipsec.no_keys, 42);
    CU_ASSERT_EQUAL(e->ipsec.icv_ok + e->ipsec.icv_bad, 0);
    CU_ASSERT_TRUE(story_has(e, x, "it used PFS (group2), and g(qm)^xy of message ID 9c88846c is not among"));
    explanation_free(e);
    keys.num_secrets = 1;
    keys.secrets[0].bytes[0] ^= 1;
    e = explain_records(&r, &keys);
    CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_BAD), 0);
    CU_ASSERT_EQUAL(e->ipsec.icv_ok, 0);
    CU_ASSERT_EQUAL(e->ipsec.icv_bad, 42);
    explanation_free(e);
    known_keys_cleanup(&keys);
    records_free(&r);
}

static void keys_of_another_capture_open_nothing(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct records r = records_load(corpus_cases[i]);
        struct known_keys keys = keys_of(corpus_cases[(i + 1) % NUM_CASES]);
        struct explanation *e = explain_records(&r, &keys);
        CU_ASSERT_EQUAL(e->isakmps[0].known, EXPLAIN_NONE);
        CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_GOOD), 0);
        CU_ASSERT_EQUAL(e->ipsec.unknown_spi, e->ipsec.packets);
        explanation_free(e);
        memcpy(keys.isakmp[0].initiator_cookie, r.list[0].bytes + IKE_OFFSET, 8); /* under its name now */
        keys.isakmp[0].any_responder = true;
        e = explain_records(&r, &keys);
        CU_ASSERT_EQUAL(e->isakmps[0].known, 0);
        check_nothing_decrypts(e, corpus_cases[i]);
        explanation_free(e);
        known_keys_cleanup(&keys);
        records_free(&r);
    }
}

/* --- Wireshark's tables --- */

static void append_hex(char *text, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sprintf(text + strlen(text), "%02x", bytes[i]);
}

/* SKEYID_e is longer than an AES-128 key, which is its beginning. */
static struct known_keys decryption_table_of(const char *name)
{
    struct known_keys full = keys_of(name);
    char text[128] = "";
    append_hex(text, full.isakmp[0].initiator_cookie, 8);
    strcat(text, ",");
    append_hex(text, full.isakmp[0].skeyid_e, 16);
    known_keys_cleanup(&full);
    return keys_from_text(text);
}

static void wiresharks_isakmp_table_decrypts_and_proves_nothing(void)
{
    const size_t cases[] = {NOPFS, REFUSED, REKEYED, AGGRESSIVE};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *name = corpus_cases[cases[i]];
        struct records r = records_load(name);
        struct known_keys keys = decryption_table_of(name);
        struct explanation *e = explain_records(&r, &keys);
        json_t *expect = expectations(name);
        CU_ASSERT_TRUE(e->isakmps[0].opened > 0);
        CU_ASSERT_EQUAL(e->isakmps[0].nonsense, 0);
        CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_GOOD) + count_hash(e, EXPLAIN_HASH_BAD), 0);
        CU_ASSERT_TRUE(count_hash(e, EXPLAIN_HASH_UNCHECKED) >= e->isakmps[0].opened);
        CU_ASSERT_EQUAL(count_keyed(e), 0);
        CU_ASSERT_EQUAL(e->ipsec.icv_ok + e->ipsec.icv_bad, 0);
        CU_ASSERT_EQUAL(e->ipsec.no_keys, e->ipsec.packets);
        CU_ASSERT_EQUAL(e->num_sas, json_object_size(json_object_get(expect, "sas")));
        CU_ASSERT_TRUE(notes_have(e, "without SKEYID_a no HASH is checked"));
        json_decref(expect);
        explanation_free(e);
        known_keys_cleanup(&keys);
        records_free(&r);
    }
}

static void add_esp_line(char *text, const char *spi, json_t *keys)
{
    sprintf(text + strlen(text), "\"IPv4\",\"*\",\"*\",\"0x%s\",\"%s\",\"0x%s\",\"%s\",\"0x%s\"\n", spi,
            json_string_value(json_object_get(keys, "encr")),
            json_string_value(json_object_get(keys, "encr_key")),
            json_string_value(json_object_get(keys, "auth")),
            json_string_value(json_object_get(keys, "auth_key")));
}

static void wiresharks_esp_table_alone_verifies_every_icv(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        static char text[8192];
        const char *spi;
        json_t *line, *expect = expectations(corpus_cases[i]);
        text[0] = '\0';
        json_object_foreach(json_object_get(expect, "sas"), spi, line) add_esp_line(text, spi, line);
        struct records r = records_load(corpus_cases[i]);
        struct known_keys keys = {0};
        if (*text)
            keys = keys_from_text(text);
        struct explanation *e = explain_records(&r, &keys);
        CU_ASSERT_EQUAL(e->ipsec.icv_ok, e->ipsec.packets);
        CU_ASSERT_EQUAL(e->ipsec.packets,
                        (uint64_t)json_integer_value(json_object_get(expect, "ipsec_packets")));
        CU_ASSERT_EQUAL(count_right_keys(e, expect), json_object_size(json_object_get(expect, "sas")));
        CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_GOOD), 0);
        for (size_t k = 0; k < e->num_sas; k++)
            CU_ASSERT_TRUE(e->sas[k].exchange == EXPLAIN_NONE && e->sas[k].known != EXPLAIN_NONE);
        explanation_free(e);
        known_keys_cleanup(&keys);
        records_free(&r);
        json_decref(expect);
    }
}

CHECK_MAIN("explain", {"explains every case of the corpus", explains_every_case_of_the_corpus},
           {"names the algorithms and lifetimes of each SA", names_the_algorithms_and_lifetimes_of_each_sa},
           {"a resent message is a copy of the first one", a_resent_message_is_a_copy_of_the_first_one},
           {"a DELETE takes down the SA it names", a_delete_takes_down_the_sa_it_names},
           {"Phase 1 need not be in the capture", phase_1_need_not_be_in_the_capture},
           {"a wrong IV is noted, and Phase 1 shows the right one",
            a_wrong_iv_is_noted_and_phase_1_shows_the_right_one},
           {"an IV need not be given where Phase 1 is in the capture",
            an_iv_need_not_be_given_where_phase_1_is_in_the_capture},
           {"nothing encrypted is readable without keys", nothing_encrypted_is_readable_without_keys},
           {"two ISAKMP SAs in one capture have each their own keys",
            two_isakmp_sas_in_one_capture_have_each_their_own_keys},
           {"no HASH is good with a wrong SKEYID_a", no_hash_is_good_with_a_wrong_skeyid_a},
           {"no ICV is good with a wrong SKEYID_d", no_icv_is_good_with_a_wrong_skeyid_d},
           {"nothing decrypts with a wrong SKEYID_e", nothing_decrypts_with_a_wrong_skeyid_e},
           {"without the DH secret a Quick Mode with PFS has no keys",
            without_the_dh_secret_a_quick_mode_with_pfs_has_no_keys},
           {"keys of another capture open nothing", keys_of_another_capture_open_nothing},
           {"Wireshark's ISAKMP table decrypts and proves nothing",
            wiresharks_isakmp_table_decrypts_and_proves_nothing},
           {"Wireshark's ESP table alone verifies every ICV", wiresharks_esp_table_alone_verifies_every_icv})
