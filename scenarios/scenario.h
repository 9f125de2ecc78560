/* A scenario as plain structs: what the loader makes of the XML and what the world simulates.
 *
 * Counted gateways and tunnels are expanded here ("spoke[3]"); indexes point into the arrays of the same
 * struct. Times in nanoseconds, rates in bits a second, sizes in bytes. */
#ifndef P2_SCENARIO_H
#define P2_SCENARIO_H

#include "gateway.h"
#include "policy.h"
#include "profile.h"

#include <stdio.h>

#define SCENARIO_NAME 64

struct scenario_message {
    char text[32768]; /* "rekey.xml:12: delay=\"20mss\": not a time; allowed: a number and ns, us, ms or s" */
};

struct scenario_cpu {
    int profile; /* index, or -1: computations take no time */
    uint32_t cores;
    uint32_t queue;   /* jobs that may wait; more are dropped */
    bool price_ipsec; /* data="shared": ESP packets go through the same queue; "free" (default): they cost
                         nothing */
};

#define SCENARIO_MAX_PROTECTS 8

struct scenario_gateway {
    char name[SCENARIO_NAME]; /* "hub", "spoke[3]" */
    struct p2_address address;
    size_t num_protects;
    struct p2_selector protects[SCENARIO_MAX_PROTECTS]; /* prefixes; the first host address in each (.1) is
                                                           the gateway's own */
    struct scenario_cpu cpu;
    int nat; /* it stands behind this one, and its peers see that one's address; -1: none */
    int line;
};

/* An address and port translator: the links that lead to it are inside, the one that leads from it outside.
 */
struct scenario_nat {
    char name[SCENARIO_NAME];
    struct p2_address address; /* outside */
    p2_time timeout;           /* of a mapping that nothing refreshes */
    bool preserve_port;        /* an inside port stays as it is while nobody else has it */
    int line;
};

#define SCENARIO_MAX_CLASSES 8

/* Packets that a link treats apart, by the DSCP of the outermost header. */
struct scenario_class {
    uint64_t dscps;    /* bit n: DSCP n */
    uint32_t priority; /* higher ones are sent first; what no class names has 0 */
    uint32_t queue;    /* packets */
    p2_time delay;     /* on top of the link's */
};

/* Nodes are numbered: first the gateways, then the NATs. */
struct scenario_link {
    char name[2 * SCENARIO_NAME]; /* "spoke[3]-hub" */
    int from, to;                 /* nodes */
    p2_time delay, jitter;        /* each packet: delay + uniform(0, jitter), order kept */
    uint64_t rate;                /* bit/s */
    double loss;                  /* probability, each direction alike; so are the next two */
    double duplicate, reorder;
    p2_time reorder_delay; /* how much longer a reordered packet takes */
    uint32_t queue;        /* packets */
    uint32_t mtu;
    size_t num_classes;
    struct scenario_class classes[SCENARIO_MAX_CLASSES];
    int line;
};

enum scenario_establish { SCENARIO_IMMEDIATELY, SCENARIO_ON_TRAFFIC };

struct scenario_end {
    int gateway;
    struct p2_phase1_policy phase1; /* the same in all tunnels of this gateway with that peer */
    struct p2_policy policy;
    struct p2_selector local, remote; /* proxy IDs */
    enum p2_basis basis;
    uint32_t waiting; /* packets that wait for the first SA */
    p2_time retry;    /* after a failed negotiation; 0: never again */
    char vendor[16];  /* "", "junos" */
};

struct scenario_tunnel {
    char name[SCENARIO_NAME]; /* "vpn[3]", or "vpn" if nothing is counted */
    enum scenario_establish establish;
    struct scenario_end ends[2]; /* the first one initiates when establish is "immediately" */
    int line;
};

struct scenario_flow {
    char name[2 * SCENARIO_NAME];          /* "spoke[3]>hub" */
    int from, to;                          /* gateways */
    struct p2_address source, destination; /* of the inner packets */
    uint8_t protocol;                      /* 17: UDP */
    uint16_t source_port, port;            /* port: the destination's */
    p2_time interval;                      /* between packets */
    uint32_t size;                         /* bytes of the inner IP packet, its headers included */
    p2_time start, stop;
    uint8_t dscp;       /* of the inner packets */
    bool dont_fragment; /* IPv4 only */
};

enum scenario_event_kind {
    SCENARIO_REKEY,   /* u.tunnel: each end that is meant starts a Quick Mode */
    SCENARIO_DELETE,  /* u.tunnel: each end that is meant takes its SAs away and says so */
    SCENARIO_RESTART, /* u.gateway: it forgets everything */
    SCENARIO_CUT,     /* u.cut: a link carries nothing for so long */
    SCENARIO_LOSE,    /* u.lose: something happens to chosen messages on a link */
    SCENARIO_ATTACK,  /* u.attack: somebody on a link has recorded what passed */
};

enum scenario_exchange {
    SCENARIO_QUICK,
    SCENARIO_MAIN,
    SCENARIO_AGGRESSIVE,
    SCENARIO_INFORMATIONAL,
    SCENARIO_ESP,
    SCENARIO_AH,
};

enum scenario_lose_action { SCENARIO_LOSE_DROP, SCENARIO_LOSE_DELAY, SCENARIO_LOSE_DUPLICATE };

/* The next `copies` such messages that enter the link, from either end. */
struct scenario_lose {
    int link;
    enum scenario_exchange exchange;
    uint32_t message; /* 1, 2, ...: which message of its exchange; 0: any */
    uint32_t copies;
    enum scenario_lose_action action;
    p2_time delay; /* of SCENARIO_LOSE_DELAY */
};

enum scenario_attack_kind {
    SCENARIO_REPLAY,     /* what was recorded comes again, byte for byte */
    SCENARIO_FORGE,      /* packets made from recorded ones */
    SCENARIO_FLOOD,      /* the same, at a steady rate for as long as it is told */
    SCENARIO_COMPROMISE, /* nothing comes: the attacker learns keys and reads what was recorded */
};

/* How, of each kind. */
enum scenario_attack_method {
    SCENARIO_REPLAY_SAME, /* order */
    SCENARIO_REPLAY_REVERSE,
    SCENARIO_REPLAY_RANDOM,
    SCENARIO_REPLAY_BURST, /* all at one instant */
    SCENARIO_FORGE_FLIP_BITS,
    SCENARIO_FORGE_TRUNCATE,
    SCENARIO_FORGE_WRONG_SPI,
    SCENARIO_FORGE_HIGH_SEQUENCE,
    SCENARIO_FORGE_RANDOM,
    SCENARIO_FLOOD_BAD_HASH, /* Quick Modes */
    SCENARIO_FLOOD_REPLAYED_IKE,
    SCENARIO_FLOOD_REPLAYED_ESP,
    SCENARIO_FLOOD_SPOOFED_ESP,
    SCENARIO_COMPROMISE_KEYS,
    SCENARIO_NUM_ATTACK_METHODS
};

/* What of the recorded packets; bits. */
#define SCENARIO_ATTACK_ESP 1u
#define SCENARIO_ATTACK_AH  2u
#define SCENARIO_ATTACK_IKE 4u

struct scenario_attack {
    enum scenario_attack_kind kind;
    enum scenario_attack_method method;
    unsigned protocols;
    int link;
    int sent_by;         /* the end of the link whose packets are meant; -1: both */
    int toward;          /* the end at which they come out; -1: each goes the way it went */
    p2_time from, until; /* recorded then, both included; until at the latest the event's time */
    uint32_t packets;    /* the newest so many of the recorded ones; of a flood: in all; 0: no limit */
    p2_time delay;       /* from the event to the first packet */
    p2_time interval;    /* between two; 0: as they were recorded */
    p2_time duration;    /* of a flood; 0: no limit */
    bool knows_d, knows_e;
};

struct scenario_event {
    p2_time time;
    enum scenario_event_kind kind;
    union {
        struct {
            int index;    /* one expanded tunnel */
            bool ends[2]; /* which of its ends act */
        } tunnel;
        int gateway;
        struct {
            int link;
            p2_time duration;
        } cut;
        struct scenario_lose lose;
        struct scenario_attack attack;
    } u;
};

/* As what an expectation's value was written. */
enum scenario_unit {
    SCENARIO_UNIT_COUNT, /* a plain number */
    SCENARIO_UNIT_TIME,
    SCENARIO_UNIT_PART, /* per cent */
    SCENARIO_UNIT_TEXT, /* text="..." instead of a value */
};

struct scenario_expectation {
    char text[512];      /* as a person would say it; built by the loader */
    char case_name[160]; /* empty: every case */
    char metric[64];
    double quantile; /* -1: none given (a total, or the mean) */
    char is[16];     /* below, above, at-most, at-least, equal */
    double value;    /* in the metric's unit: ns, packets, ... */
    char wanted[96]; /* value or text as it was written */
    enum scenario_unit unit;
    int line;
};

struct scenario {
    char name[SCENARIO_NAME];
    char *question;    /* NULL: none */
    char **paragraphs; /* of the lesson, white space collapsed */
    size_t num_paragraphs;
    p2_time duration;
    uint64_t seed;
    uint64_t runs;
    struct profile *profiles;
    size_t num_profiles;
    struct scenario_gateway *gateways;
    size_t num_gateways;
    struct scenario_nat *nats;
    size_t num_nats;
    struct scenario_link *links;
    size_t num_links;
    struct scenario_tunnel *tunnels;
    size_t num_tunnels;
    struct scenario_flow *flows;
    size_t num_flows;
    struct scenario_event *events; /* in order of time */
    size_t num_events;
    struct scenario_expectation *expectations;
    size_t num_expectations;
};

/* One case of <vary>: axes crossed, the first axis slowest. */
struct scenario_case {
    char name[160]; /* "PFS=none", "PFS=none,loss=1%"; "base" without axes. Safe as a file name */
    size_t num_settings;
    struct {
        char axis[SCENARIO_NAME];
        char value[SCENARIO_NAME];
    } settings[8];
    char *xml; /* the scenario of this case: profiles inlined, no <vary>, runs="1" left as they were */
    size_t xml_len;
};

struct scenario_set {
    char *xml; /* the whole scenario as run: --set applied, profiles inlined, <vary> kept */
    size_t xml_len;
    struct scenario base; /* the first case, loaded: for names, question, runs, expectations */
    struct scenario_case *cases;
    size_t num_cases;
    struct scenario_message warnings; /* one a line; empty: none. What is said of several cases stands once */
};

struct scenario_override {
    const char *path; /* XPath 1.0, elements of the scenario without prefix */
    const char *value;
};

/* What `--set`, `--runs` and `--seed` of the command line change before validation. */
struct scenario_options {
    const struct scenario_override *overrides;
    size_t num_overrides;
    uint64_t runs; /* 0: as written */
    bool has_seed;
    uint64_t seed;
    /* What only those know who measure: whether something is wrong with an expectation, as "what was found;
     * what is allowed". NULL: nobody asks. */
    bool (*wrong_expectation)(const struct scenario *scenario, const struct scenario_expectation *expected,
                              char *text, size_t size);
    bool all_used; /* a part that no case uses is an error; old results may be reported on whatever is in them
                    */
};

/* Loads FILE, applies the options, validates (XSD, then meaning, every case), and expands the cases. 0, or -1
 * with file, line, what was found and what is allowed in `message` (further ones, one a line, if there are
 * several). */
int scenario_set_load(struct scenario_set *set, const char *file, const struct scenario_options *options,
                      struct scenario_message *message);
void scenario_set_cleanup(struct scenario_set *set);

/* Loads one case as the worker gets it. `name` stands for the file in messages. */
int scenario_load_memory(struct scenario *scenario, const char *xml, size_t len, const char *name,
                         struct scenario_message *message);
void scenario_cleanup(struct scenario *scenario);

/* The schema, compiled into the program (it is scenarios/phase2sim.xsd). */
extern const char scenario_schema[];
extern const size_t scenario_schema_len;

#endif
