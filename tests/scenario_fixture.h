/* A folder with a small, complete scenario in it, which tests change at one place each. */
#ifndef P2_TESTS_SCENARIO_FIXTURE_H
#define P2_TESTS_SCENARIO_FIXTURE_H

#include "check.h"
#include "scenario.h"

#include <unistd.h>

/* Line numbers in the tests are those of this text. */
static const char fixture_text[] =
    /*  1 */ "<scenario xmlns=\"urn:phase2sim:scenario:1\" name=\"small\" duration=\"30s\">\n"
             /*  2 */ "  <lesson><question>Does it\n      load?</question><p>It  "
             "does.</p><p>Yes.</p></lesson>\n"
             /*  4 */ "  <cpu-profile name=\"slow\" base=\"fast.xml\" scale=\"3\"/>\n"
             /*  5 */ "  <topology>\n"
             /*  6 */ "    <gateway name=\"hub\" address=\"203.0.113.1\" protects=\"10.0.0.0/24\">\n"
             /*  7 */ "      <cpu profile=\"slow\" cores=\"2\" queue=\"10\" data=\"shared\"/>\n"
             /*  8 */ "    </gateway>\n"
             /*  9 */ "    <gateway name=\"spoke\" count=\"3\" address=\"198.51.100.1\" "
             "protects=\"10.1.0.0/24\" step=\"2\"/>\n"
             /* 10 */ "    <gateway name=\"bare\" address=\"192.0.2.1\"/>\n"
             /* 11 */ "    <link from=\"spoke\" to=\"hub\" delay=\"20ms\" jitter=\"1.5ms\" rate=\"100Mbps\" "
             "loss=\"0.1%\" queue=\"7\" mtu=\"1400B\"/>\n"
             /* 12 */ "  </topology>\n"
             /* 13 */ "  <tunnels>\n"
             /* 14 */ "    <tunnel name=\"vpn\" establish=\"on-traffic\">\n"
             /* 15 */ "      <phase1 pre-shared-key=\"secret\" hash=\"sha256\" group=\"group2\"/>\n"
             /* 16 */ "      <policy pfs=\"group5\" lifetime=\"20s\" soft=\"75%\" fuzz=\"5%\">\n"
             /* 17 */ "        <proposal use=\"g2-esp-aes128-sha\"/>\n"
             /* 18 */ "      </policy>\n"
             /* 19 */ "      <end gateway=\"spoke\"/>\n"
             /* 20 */ "      <end gateway=\"hub\" vendor=\"junos\"/>\n"
             /* 21 */ "    </tunnel>\n"
             /* 22 */ "  </tunnels>\n"
             /* 23 */ "  <traffic>\n"
             /* 24 */ "    <flow from=\"spoke\" to=\"hub\" packets=\"25/s\" size=\"1400B\" start=\"1s\"/>\n"
             /* 25 */ "  </traffic>\n"
             /* 26 */ "  <timeline>\n"
             /* 27 */ "    <at time=\"10s\"><rekey tunnel=\"vpn\" all=\"true\"/></at>\n"
             /* 28 */ "    <at time=\"5s\"><rekey tunnel=\"vpn[2]\"/></at>\n"
             /* 29 */ "  </timeline>\n"
             /* 30 */ "  <vary>\n"
             /* 31 */ "    <axis name=\"PFS\" set=\"//policy/@pfs\" values=\"none group2\"/>\n"
             /* 32 */ "    <axis name=\"loss\" set=\"//link/@loss\" values=\"0% 5%\"/>\n"
             /* 33 */ "  </vary>\n"
             /* 34 */ "  <expect>\n"
             /* 35 */ "    <that case=\"none\" metric=\"rekey-latency\" quantile=\"0.5\" is=\"below\" "
             "value=\"100ms\"/>\n"
             /* 36 */ "  </expect>\n"
             /* 37 */ "</scenario>\n";

struct fixture {
    char folder[64];
    char file[96]; /* scenario.xml in it */
};

static inline void fixture_write(const struct fixture *fixture, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    FILE *out = fopen(path, "w");
    if (!out || fputs(text, out) < 0 || fclose(out) != 0) {
        perror(path);
        abort();
    }
}

/* A profile with a price of 1us + 1ns a byte for everything this build knows. */
static inline void fixture_profile(char *out, size_t size)
{
    size_t len = (size_t)snprintf(out, size,
                                  "<cpu-profile xmlns=\"urn:phase2sim:scenario:1\" name=\"fast\">\n"
                                  "<source cpu=\"None\" method=\"assumed\"/>\n");
    for (unsigned op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++) {
            const char *algorithm = p2_operation_algorithm((enum p2_operation)op, a);
            if (algorithm && len < size)
                len += (size_t)snprintf(
                    out + len, size - len,
                    "<price operation=\"%s\" algorithm=\"%s\" fixed=\"1us\" per-byte=\"1ns\"/>\n",
                    p2_operation_name((enum p2_operation)op), algorithm);
        }
    }
    snprintf(out + (len < size ? len : size - 1), len < size ? size - len : 1, "</cpu-profile>\n");
}

static inline void fixture_init(struct fixture *fixture)
{
    static char profile[8192];
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/phase2sim-test-XXXXXX");
    if (!mkdtemp(fixture->folder)) {
        perror(fixture->folder);
        abort();
    }
    snprintf(fixture->file, sizeof fixture->file, "%s/scenario.xml", fixture->folder);
    fixture_profile(profile, sizeof profile);
    fixture_write(fixture, "fast.xml", profile);
    fixture_write(fixture, "scenario.xml", fixture_text);
}

static inline void fixture_cleanup(const struct fixture *fixture)
{
    static const char *const names[] = {"scenario.xml", "fast.xml", "other.xml"};
    char path[160];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", fixture->folder, names[i]);
        unlink(path);
    }
    rmdir(fixture->folder);
}

/* A text loaded as a scenario file; shows the message if it does not load. */
static inline void fixture_load(struct scenario_set *set, const char *text)
{
    struct fixture fixture;
    struct scenario_message message = {""};
    fixture_init(&fixture);
    fixture_write(&fixture, "scenario.xml", text);
    int result = scenario_set_load(set, fixture.file, NULL, &message);
    fixture_cleanup(&fixture);
    if (result != 0)
        printf("\n    %s\n", message.text);
    CU_ASSERT_EQUAL_FATAL(result, 0);
}

/* The text with the only occurrence of `from` replaced. A slip in the test's own data ends the program. */
static inline char *fixture_replace(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (!at || strstr(at + 1, from)) {
        fprintf(stderr, "fixture_replace: not exactly one \"%s\"\n", from);
        abort();
    }
    size_t size = strlen(text) - strlen(from) + strlen(to) + 1;
    char *out = malloc(size);
    if (!out)
        abort();
    snprintf(out, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

#endif
