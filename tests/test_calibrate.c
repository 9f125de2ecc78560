#include "check.h"

#include "calibrate.h"
#include "cipher.h"
#include "dh.h"
#include "hash.h"
#include "profile.h"

#include <libxml/parser.h>

#include <math.h>
#include <time.h>

/* No figure is held against a threshold here: how fast the machine is, and how busy, is not for a test to
 * say. */

static struct profile profile; /* as read back from what calibrate wrote */
static unsigned num_prices;
static struct {
    char root[32], namespace[64], name[32], cpu[160], date[32], method[160], spread[32];
} header;

/* "153.2us" in picoseconds; -1 if it is not a number and a unit. */
static double picoseconds(const char *text)
{
    static const struct {
        const char *unit;
        double ps;
    } units[] = {{"ps", 1}, {"ns", 1e3}, {"us", 1e6}, {"ms", 1e9}, {"s", 1e12}};
    char *end = NULL;
    double value = strtod(text, &end);
    for (size_t i = 0; end != text && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].unit) == 0)
            return value * units[i].ps;
    }
    return -1;
}

static void copy_attribute(char *out, size_t capacity, xmlNodePtr node, const char *name)
{
    xmlChar *value = xmlGetNoNsProp(node, BAD_CAST name);
    snprintf(out, capacity, "%s", value ? (const char *)value : "");
    xmlFree(value);
}

static unsigned algorithm_by_name(enum p2_operation op, const char *name)
{
    unsigned a = 0;
    while (a < P2_MAX_ALGORITHMS &&
           (!p2_operation_algorithm(op, a) || strcmp(p2_operation_algorithm(op, a), name) != 0))
        a++;
    return a;
}

static void read_price(xmlNodePtr node)
{
    char operation[32], algorithm[32], fixed[32], per_byte[32];
    copy_attribute(operation, sizeof operation, node, "operation");
    copy_attribute(algorithm, sizeof algorithm, node, "algorithm");
    copy_attribute(fixed, sizeof fixed, node, "fixed");
    copy_attribute(per_byte, sizeof per_byte, node, "per-byte");
    enum p2_operation op = p2_operation_by_name(operation);
    CU_ASSERT_FATAL(op < P2_NUM_OPERATIONS);
    unsigned a = algorithm_by_name(op, algorithm);
    CU_ASSERT_FATAL(a < P2_MAX_ALGORITHMS);
    CU_ASSERT(picoseconds(fixed) >= 0);
    bool is_dh = op == P2_OP_DH_GENERATE || op == P2_OP_DH_DERIVE;
    if (is_dh)
        CU_ASSERT_STRING_EQUAL(per_byte, "");
    if (!is_dh)
        CU_ASSERT(picoseconds(per_byte) >= 0);
    CU_ASSERT_FALSE(profile.prices[op][a].known);
    profile.prices[op][a].known = true;
    profile.prices[op][a].fixed_ps = (int64_t)picoseconds(fixed);
    profile.prices[op][a].per_byte_ps = is_dh ? 0 : (int64_t)picoseconds(per_byte);
    num_prices++;
}

static void read_profile(xmlDocPtr document)
{
    xmlNodePtr root = xmlDocGetRootElement(document);
    snprintf(header.root, sizeof header.root, "%s", (const char *)root->name);
    snprintf(header.namespace, sizeof header.namespace, "%s", root->ns ? (const char *)root->ns->href : "");
    copy_attribute(header.name, sizeof header.name, root, "name");
    for (xmlNodePtr node = root->children; node; node = node->next) {
        if (strcmp((const char *)node->name, "source") == 0) {
            copy_attribute(header.cpu, sizeof header.cpu, node, "cpu");
            copy_attribute(header.date, sizeof header.date, node, "date");
            copy_attribute(header.method, sizeof header.method, node, "method");
            copy_attribute(header.spread, sizeof header.spread, node, "spread");
        } else if (node->type == XML_ELEMENT_NODE) {
            CU_ASSERT_STRING_EQUAL_FATAL(node->name, "price");
            read_price(node);
        }
    }
}

/* Measures once, for whichever test comes first. */
static void load(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    const struct calibrate_options options = {"some-machine", 9, HUGE_VAL, NULL};
    CU_ASSERT_EQUAL(calibrate_measure(out, stderr, &options), 0);
    fclose(out);
    xmlDocPtr document = xmlReadMemory(text, (int)len, "profile", NULL, XML_PARSE_NONET | XML_PARSE_NOBLANKS);
    free(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(document);
    profile.scale = 1;
    read_profile(document);
    xmlFreeDoc(document);
}

static void it_says_what_was_measured_and_how(void)
{
    load();
    CU_ASSERT_STRING_EQUAL(header.root, "cpu-profile");
    CU_ASSERT_STRING_EQUAL(header.namespace, "urn:phase2sim:scenario:1");
    CU_ASSERT_STRING_EQUAL(header.name, "some-machine");
    CU_ASSERT(strlen(header.cpu) > 0);
    int year = 0, month = 0, day = 0;
    CU_ASSERT_EQUAL(sscanf(header.date, "%4d-%2d-%2d", &year, &month, &day), 3);
    CU_ASSERT(strlen(header.date) == 10 && year >= 2024 && month >= 1 && month <= 12 && day >= 1 &&
              day <= 31);
    CU_ASSERT_PTR_NOT_NULL(strstr(header.method, "lower decile of 9 repetitions"));
    char *end = NULL;
    CU_ASSERT(strtod(header.spread, &end) >= 0);
    CU_ASSERT_STRING_EQUAL(end, "%");
}

static void assert_everything_is_priced(void)
{
    enum p2_operation op = P2_NUM_OPERATIONS;
    unsigned algorithm = 0, num_rows = 0;
    CU_ASSERT_FALSE(profile_first_unpriced(&profile, &op, &algorithm));
    for (unsigned o = 0; o < P2_NUM_OPERATIONS; o++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++) {
            const struct profile_price *price = &profile.prices[o][a];
            if (!p2_operation_algorithm((enum p2_operation)o, a))
                continue;
            num_rows++;
            CU_ASSERT(price->fixed_ps + 64 * price->per_byte_ps > 0);
        }
    }
    CU_ASSERT_EQUAL(num_prices, num_rows);
}

static void everything_is_priced(void)
{
    load();
    assert_everything_is_priced();
}

/* An algorithm that is added needs a price there too. Last, for it puts aside what was measured here. */
static void the_profile_of_the_library_prices_everything(void)
{
    xmlDocPtr document =
        xmlReadFile("scenarios/profiles/xeon-emerald-rapids.xml", NULL, XML_PARSE_NONET | XML_PARSE_NOBLANKS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(document);
    profile = (struct profile){.scale = 1};
    num_prices = 0;
    read_profile(document);
    xmlFreeDoc(document);
    assert_everything_is_priced();
}

static p2_time price(enum p2_operation op, unsigned algorithm, size_t bytes)
{
    struct p2_work work = {0};
    p2_work_add(&work, op, algorithm, 1, bytes);
    return profile_price_of(&profile, &work);
}

/* Orders of magnitude apart, on any machine and under any load. */
static void an_exponentiation_is_dearer_than_an_hmac(void)
{
    load();
    for (size_t i = 0; p2_group_at(i); i++) {
        CU_ASSERT(price(P2_OP_DH_DERIVE, p2_group_at(i)->group, 0) > price(P2_OP_HMAC, P2_HASH_SHA1, 64));
        CU_ASSERT(price(P2_OP_DH_GENERATE, p2_group_at(i)->group, 0) > price(P2_OP_HMAC, P2_HASH_SHA256, 64));
    }
}

static void a_full_disk_is_reported_in_one_line(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *full = fopen("/dev/full", "w");
    FILE *messages = open_memstream(&text, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(full);
    CU_ASSERT_PTR_NOT_NULL_FATAL(messages);
    const struct calibrate_options options = {"full", 8, HUGE_VAL, NULL};
    CU_ASSERT_NOT_EQUAL(calibrate_measure(full, messages, &options), 0);
    fclose(full);
    fclose(messages);
    CU_ASSERT_STRING_EQUAL(text, "calibrate: cannot write the profile\n");
    free(text);
}

/* --- a machine of which we say how noisy it is --- */

/* Each batch takes 100 us; what is added to it, in us, by how often the clock was read. */
static unsigned readings;
static unsigned (*noise)(unsigned reading);

static int scripted(struct timespec *now)
{
    static int64_t us;
    us += 100 + noise(readings);
    readings++;
    *now = (struct timespec){us / 1000000, us % 1000000 * 1000};
    return 0;
}

static unsigned none(unsigned reading)
{
    (void)reading;
    return 0;
}

/* Even the quick ones do not agree. */
static unsigned ragged(unsigned reading)
{
    return reading * 2654435761u % 100;
}

/* Slower and slower: each repetition agrees with its neighbours. */
static unsigned drifting(unsigned reading)
{
    return reading / 200;
}

/* Often disturbed, but what is undisturbed agrees. */
static unsigned busy(unsigned reading)
{
    return reading % 3 == 0 ? 0 : 300;
}

/* What a machine with such noise leads to: the profile, or NULL and what was said. */
static char *calibrate_with(unsigned (*of)(unsigned), char **said)
{
    char *text = NULL;
    size_t len = 0, said_len = 0;
    FILE *out = open_memstream(&text, &len), *messages = open_memstream(said, &said_len);
    CU_ASSERT_FATAL(out && messages);
    const struct calibrate_options options = {"scripted", 40, CALIBRATE_MAX_SPREAD, scripted};
    readings = 0;
    noise = of;
    int failed = calibrate_measure(out, messages, &options);
    fclose(out);
    fclose(messages);
    CU_ASSERT_EQUAL(failed, len == 0 ? -1 : 0);
    if (len > 0)
        return text;
    free(text);
    return NULL;
}

static void a_noisy_machine_is_refused(void)
{
    static const struct {
        unsigned (*noise)(unsigned);
        bool refused;
    } rows[] = {{none, false}, {busy, false}, {ragged, true}, {drifting, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *said = NULL, *written = calibrate_with(rows[i].noise, &said);
        double spread = 0;
        CU_ASSERT_EQUAL(written == NULL, rows[i].refused);
        if (rows[i].refused) {
            CU_ASSERT_PTR_NOT_NULL(strstr(said, "calibrate: this machine is too noisy to trust: "));
            const char *by = strstr(said, " spreads by ");
            CU_ASSERT_FATAL(by != NULL);
            CU_ASSERT_EQUAL(sscanf(by, " spreads by %lf%%, where 10.0%% is allowed", &spread), 1);
            CU_ASSERT(spread > 10);
            CU_ASSERT_PTR_EQUAL(strchr(said, '\n'), said + strlen(said) - 1);
        } else {
            CU_ASSERT_STRING_EQUAL(said, "");
        }
        free(written);
        free(said);
    }
}

/* A price is what the clock says, whatever disturbs the other repetitions. */
static void a_price_is_the_undisturbed_time(void)
{
    char *said = NULL, *written = calibrate_with(busy, &said);
    CU_ASSERT_PTR_NOT_NULL_FATAL(written);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(written, "operation=\"dh-derive\" algorithm=\"group14\" fixed=\"100us\" spread=\"0.0%\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(written, "Every figure bears its unit"));
    free(written);
    free(said);
}

CHECK_MAIN("calibrate", {"it says what was measured and how", it_says_what_was_measured_and_how},
           {"everything is priced", everything_is_priced},
           {"an exponentiation is dearer than an HMAC", an_exponentiation_is_dearer_than_an_hmac},
           {"a full disk is reported in one line", a_full_disk_is_reported_in_one_line},
           {"a noisy machine is refused, and told how noisy it is", a_noisy_machine_is_refused},
           {"a price is the undisturbed time", a_price_is_the_undisturbed_time},
           {"the profile of the library prices everything", the_profile_of_the_library_prices_everything})
