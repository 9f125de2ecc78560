/* The verbs with their help texts. analysis/phase2sim.1 says the same at greater length. */
#include "command.h"

#define EXIT_CODES                                                                                           \
    "\nExit codes: 0 done and every expectation holds; 1 an expectation failed; 2 usage or input error;\n"   \
    "3 a run failed or was interrupted.\n"

#define SCENARIO_OPTIONS                                                                                     \
    "  --set PATH=VALUE  change the scenario before it is checked: an XPath 1.0 of attributes, elements\n"   \
    "                    without prefix, then the value; may be given several times\n"                       \
    "                    (--set '//policy/@pfs=group14')\n"                                                  \
    "  --runs N          replications of each case (1 to 100000), instead of the scenario's own\n"           \
    "  --seed S          seed of all randomness (1 to 4294944442), instead of the scenario's own\n"

#define WORKER_OPTIONS                                                                                       \
    "  --jobs J          runs at the same time (default: one a CPU that is online)\n"                        \
    "  --patience S      a run that shows no progress for S seconds (1 to 86400, default 60) is ended\n"

static const char run_help[] =
    "SCENARIO.xml is a file, or the name of a scenario that `phase2sim list` shows.\n"
    "\n"
    "Options:\n"
    "  -o DIR            where the results go (default: results/NAME-seedSEED in the current directory).\n"
    "                    An older result there is replaced, with all that is in it, when the new one is\n"
    "                    complete; anything else there but an empty directory is an error. Nothing\n"
    "                    half-written is ever left.\n" SCENARIO_OPTIONS WORKER_OPTIONS
    "  --no-pcap         no captures; otherwise the first replication of each case is captured\n"
    "  --debug           debug/CASE-RUN.log: a line for each packet that a gateway rejects\n"
    "  --help            this text\n"
    "\n"
    "Results in DIR: scenario.xml (as run, with all that it used), results.sqlite (every record),\n"
    "summary.json (the figures), rekeys.csv (a row a Phase 2 negotiation), report.txt (what is printed)\n"
    "and captures/CASE-RUN/ (one pcap a gateway, with keys).\n"
    "\n"
    "Ctrl-C ends the workers and keeps the runs that were finished; summary.json then says\n"
    "\"complete\": false. `phase2sim resume DIR` does the others.\n" EXIT_CODES;

static const char resume_help[] =
    "DIR is a result directory of `phase2sim run` that has not all of its runs: some failed, or it was\n"
    "interrupted; or one that a phase2sim which was killed, or met a full disk, could not put in its place.\n"
    "Finished runs are kept, the others are done, and the result is the same as if nothing had happened.\n"
    "\n"
    "Options:\n" WORKER_OPTIONS "  --help            this text\n" EXIT_CODES;

static const char check_help[] =
    "Validates the scenario (schema, then meaning, every case of <vary>) and runs nothing. What is wrong\n"
    "goes to stderr with file, line, what was found and what is allowed.\n"
    "\n"
    "Options:\n" SCENARIO_OPTIONS "  --help            this text\n" EXIT_CODES;

static const char list_help[] =
    "A line a scenario: its name and the question that it answers. `phase2sim run NAME` runs it.\n"
    "\n"
    "Options:\n"
    "  --help            this text\n"
    "\n"
    "The library is the directory $PHASE2SIM_SCENARIOS, or else scenarios/ beside the build, or else\n"
    "PREFIX/share/phase2sim/scenarios of the installed program PREFIX/bin/phase2sim.\n" EXIT_CODES;

static const char report_help[] =
    "DIR is a result directory of `phase2sim run`. Its report.txt, summary.json and rekeys.csv are made\n"
    "again from results.sqlite and scenario.xml, and the report is printed.\n"
    "\n"
    "Options:\n"
    "  --help            this text\n" EXIT_CODES;

static const char explain_help[] =
    "CAPTURE is a pcap or pcapng file, or - for standard input. IKE (UDP 500 and 4500), ESP and AH in it "
    "are\n"
    "decrypted and verified by the same code that runs in simulations, and told: a ladder of messages, each\n"
    "negotiation, each SA, and what is missing. Without keys only what is visible.\n"
    "\n"
    "Options:\n"
    "  --keys KEYS       keys.xml as `run` writes it beside its captures, or Wireshark's\n"
    "                    ikev1_decryption_table or esp_sa, or a directory with any of them; may be given\n"
    "                    several times\n"
    "  --format FORMAT   text (default) or json (\"phase2sim-explain/1\")\n"
    "  --window N        width of the replay window that packets are put to, 0 (off) to 131072 (default: "
    "64)\n"
    "  --verbose         every byte with its field's name and RFC section\n"
    "  --help            this text\n"
    "\n"
    "Exit codes: 0 explained, also where the capture breaks off or does not verify (which is told); 2 usage "
    "or\n"
    "input error; 3 out of memory, or the output could not be written.\n";

static const char calibrate_help[] =
    "Measures what cryptographic operations cost on this machine, which takes a minute or so, and writes a\n"
    "CPU profile for scenarios. Nothing else should be running meanwhile.\n"
    "\n"
    "Options:\n"
    "  -o PROFILE.xml    write to this file, replacing it at the end (default: standard output)\n"
    "  --help            this text\n" EXIT_CODES;

const struct command commands[] = {
    {"run",
     "run SCENARIO.xml [-o DIR] [--runs N] [--seed S] [--jobs J] [--patience S] [--set PATH=VALUE]... "
     "[--no-pcap] [--debug]",
     "run a scenario, all its cases and replications, and report", run_help, "SCENARIO.xml",
     "-o --runs --seed --jobs --patience --set --no-pcap --debug", command_run},
    {"resume", "resume DIR [--jobs J] [--patience S]", "do the runs that a result does not have", resume_help,
     "DIR", "--jobs --patience", command_resume},
    {"check", "check SCENARIO.xml [--runs N] [--seed S] [--set PATH=VALUE]...", "validate a scenario only",
     check_help, "SCENARIO.xml", "--runs --seed --set", command_check},
    {"list", "list", "show the scenario library, one question a line", list_help, NULL, "", command_list},
    {"report", "report DIR", "print and rebuild the report of a finished run", report_help, "DIR", "",
     command_report},
    {"explain", "explain CAPTURE [--keys KEYS]... [--format text|json] [--window N] [--verbose]",
     "tell what a capture of Phase 2 shows", explain_help, "CAPTURE", "--keys --format --window --verbose",
     command_explain},
    {"calibrate", "calibrate [-o PROFILE.xml]", "measure this machine's CPU and write a profile",
     calibrate_help, NULL, "-o", command_calibrate},
};

const size_t num_commands = sizeof commands / sizeof commands[0];
