/* Each allocation of our own code fails once, in turn, while the program's verbs do their work: none crashes,
 * each says so and ends with 2 or 3 or does without, and all that was allocated is given back. The linker
 * turns our calls of malloc and its like to the ones below (--wrap, see the Makefile); libraries keep theirs.
 * Streams and directories that cannot be opened for want of memory count as allocations too. */
#include "calibrate.h"
#include "check.h"
#include "command.h"
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t countdown; /* to the allocation that fails; 0: none does */
static bool failed;

static bool fails(void)
{
    if (countdown == 0 || --countdown > 0)
        return false;
    failed = true;
    errno = ENOMEM;
    return true;
}

/* --- what is in use: a set of addresses, since libraries may free what we allocate, and the reverse --- */

#define SLOTS ((size_t)1 << 20)
static void *in_use[SLOTS];
static size_t num_in_use;

static size_t slot_of(const void *piece)
{
    size_t slot = ((uintptr_t)piece >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 44;
    while (in_use[slot] && in_use[slot] != piece)
        slot = (slot + 1) % SLOTS;
    return slot;
}

static void *note(void *piece)
{
    if (piece) {
        in_use[slot_of(piece)] = piece;
        num_in_use++;
    }
    return piece;
}

/* What stands behind in the same cluster moves up. */
static void forget(const void *piece)
{
    size_t slot = piece ? slot_of(piece) : 0;
    if (!piece || !in_use[slot])
        return;
    in_use[slot] = NULL;
    num_in_use--;
    for (slot = (slot + 1) % SLOTS; in_use[slot]; slot = (slot + 1) % SLOTS) {
        void *moved = in_use[slot];
        in_use[slot] = NULL;
        in_use[slot_of(moved)] = moved;
    }
}

/* The linker's names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

void *__real_malloc(size_t size);
void *__real_calloc(size_t num, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *piece);
char *__real_strdup(const char *text);
FILE *__real_open_memstream(char **text, size_t *len);
FILE *__real_fmemopen(void *text, size_t len, const char *mode);
FILE *__real_fopen(const char *path, const char *mode);
DIR *__real_opendir(const char *path);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : note(__real_malloc(size));
}

void *__wrap_calloc(size_t num, size_t size)
{
    return fails() ? NULL : note(__real_calloc(num, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (fails())
        return NULL;
    forget(old);
    return note(__real_realloc(old, size));
}

void __wrap_free(void *piece)
{
    forget(piece);
    __real_free(piece);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : note(__real_strdup(text));
}

FILE *__wrap_open_memstream(char **text, size_t *len)
{
    return fails() ? NULL : __real_open_memstream(text, len);
}

FILE *__wrap_fmemopen(void *text, size_t len, const char *mode)
{
    return fails() ? NULL : __real_fmemopen(text, len, mode);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    return fails() ? NULL : __real_fopen(path, mode);
}

DIR *__wrap_opendir(const char *path)
{
    return fails() ? NULL : __real_opendir(path);
}

/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* --- a verb, again and again --- */

static char top[1024], dir[64];

/* What a verb prints goes to files. */
static const char *const streams[] = {"printed", "told"};
static int saved[2];

static char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void listen(void)
{
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        int file = open(path_of(streams[i]), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        saved[i] = dup(i + 1);
        dup2(file, i + 1);
        close(file);
    }
}

static void speak(void)
{
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], i + 1);
        close(saved[i]);
    }
}

/* Up to a megabyte; ends with a null byte. */
static char *read_file(const char *path, size_t *len)
{
    FILE *in = __real_fopen(path, "r");
    char *text = __real_calloc(1, 1 << 20);
    if (!in || !text)
        abort();
    *len = fread(text, 1, (1 << 20) - 1, in);
    fclose(in);
    return text;
}

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return system(line);
}

static int run_verb(const char *line)
{
    static struct command_arguments arguments;
    const struct command *command = NULL;
    char words[512], *argv[16];
    int argc = 0;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    if (command_parse(argc, argv, &command, &arguments) != COMMAND_PARSED_RUN)
        return -1;
    return (int)command->run(&arguments);
}

/* What is wrong about a run of a verb in which an allocation failed; NULL: nothing. */
static const char *judge(int code, int expected, const char *wanted)
{
    size_t len;
    char *printed = read_file(path_of(streams[0]), &len), *told = read_file(path_of(streams[1]), &len);
    const char *wrong = NULL;
    if (code == expected && strcmp(printed, wanted) != 0)
        wrong = "something is missing, and nobody says so";
    else if (code != expected && code != COMMAND_INPUT_ERROR && code != COMMAND_RUN_FAILED)
        wrong = "another exit code";
    else if (code != expected && !*told)
        wrong = "not a word about it";
    __real_free(printed);
    __real_free(told);
    return wrong;
}

static int run_once(int (*run)(const char *), const char *line, size_t nth)
{
    failed = false;
    listen();
    countdown = nth;
    int code = run(line);
    countdown = 0;
    speak();
    return code;
}

/* Until there is no allocation left that has not failed. Returns how many failed. */
static size_t try_all(int (*run)(const char *), const char *line, int expected)
{
    size_t before = num_in_use, n = 0, refused = 0, len;
    const char *wrong = NULL;
    CU_ASSERT_EQUAL(run_once(run, line, 0), expected);
    char *wanted = read_file(path_of(streams[0]), &len);
    for (bool more = true; more && !wrong;) {
        int code = run_once(run, line, ++n);
        wrong = num_in_use == before ? judge(code, expected, wanted) : "something is not given back";
        refused += code != expected;
        more = failed;
        if (wrong)
            printf("%s: allocation %zu, exit code %d: %s\n", line, n, code, wrong);
    }
    printf("%s: %zu allocations, of which %zu ended it\n", line, n - 1, refused);
    CU_ASSERT_PTR_NULL(wrong);
    __real_free(wanted);
    return n - 1;
}

static void scenarios_are_checked(void)
{
    static const char *const names[] = {"custom-proposals", "nat-traversal", "phase1-keys-compromised"};
    char line[2048];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(line, sizeof line, "phase2sim check %s", names[i]);
        CU_ASSERT(try_all(run_verb, line, COMMAND_DONE) > 50);
    }
    snprintf(line, sizeof line, "phase2sim check %s/wrong.xml", dir);
    CU_ASSERT(try_all(run_verb, line, COMMAND_INPUT_ERROR) > 20);
}

static void the_library_is_listed(void)
{
    char line[2048];
    snprintf(line, sizeof line, "%s/library", dir);
    setenv("PHASE2SIM_SCENARIOS", line, 1);
    CU_ASSERT(try_all(run_verb, "phase2sim list", COMMAND_DONE) > 50);
    snprintf(line, sizeof line, "%s/scenarios", top);
    setenv("PHASE2SIM_SCENARIOS", line, 1);
}

/* Of a result that lacks two runs. */
static int resume(const char *line)
{
    if (shell("rm -rf %s/out %s/.out.?????? && cp -r %s/partial %s/out", dir, dir, dir, dir))
        abort();
    return run_verb(line);
}

static void runs_are_run_reported_and_resumed(void)
{
    char line[512];
    snprintf(line, sizeof line, "phase2sim run %s/small.xml -o %s/out --jobs 1 --debug", dir, dir);
    CU_ASSERT(try_all(run_verb, line, COMMAND_DONE) > 100);
    snprintf(line, sizeof line, "phase2sim report %s/out", dir);
    CU_ASSERT(try_all(run_verb, line, COMMAND_DONE) > 50);
    setenv("FAKE_WORKER", "crash", 1);
    snprintf(line, sizeof line, "phase2sim run %s/two-cases.xml -o %s/partial", dir, dir);
    CU_ASSERT_EQUAL(run_once(run_verb, line, 0), COMMAND_RUN_FAILED);
    unsetenv("FAKE_WORKER");
    snprintf(line, sizeof line, "phase2sim resume %s/out", dir);
    CU_ASSERT(try_all(resume, line, COMMAND_DONE) > 100);
}

static void captures_are_explained(void)
{
    static const char *const ways[] = {"", " --verbose", " --format json --verbose"};
    char line[2048];
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        snprintf(line, sizeof line, "phase2sim explain %s/capture.pcap --keys %s/keys.xml%s", dir, dir,
                 ways[i]);
        CU_ASSERT(try_all(run_verb, line, COMMAND_DONE) > 50);
    }
}

static int steady(struct timespec *now)
{
    static int64_t us;
    us += 100;
    *now = (struct timespec){us / 1000000, us % 1000000 * 1000};
    return 0;
}

static int calibrate(const char *name)
{
    const struct calibrate_options options = {name, 8, CALIBRATE_MAX_SPREAD, steady};
    return calibrate_measure(stdout, stderr, &options) ? COMMAND_RUN_FAILED : COMMAND_DONE;
}

static void a_machine_is_calibrated(void)
{
    CU_ASSERT(try_all(calibrate, "calibrate", COMMAND_DONE) > 1);
}

/* --- the simulation itself --- */

static int simulate(const char *file)
{
    char captures[128];
    size_t len;
    struct scenario scenario;
    struct scenario_message message = {{0}};
    struct alive alive = {.fd = -1};
    char *xml = read_file(file, &len);
    snprintf(captures, sizeof captures, "%s/captures", dir);
    const struct world_run run = {
        .case_name = "base", .run = 1, .seed = 1, .captures = captures, .debug = stderr, .alive = &alive};
    int result = COMMAND_INPUT_ERROR;
    if (scenario_load_memory(&scenario, xml, len, "base", &message) >= 0) {
        result = world_simulate(&scenario, &run, stdout, &message) < 0 ? COMMAND_RUN_FAILED : COMMAND_DONE;
        scenario_cleanup(&scenario);
    }
    if (result != COMMAND_DONE)
        fprintf(stderr, "%s\n", message.text);
    __real_free(xml);
    return result;
}

static void cases_are_simulated(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/world.xml", dir);
    CU_ASSERT(try_all(simulate, path, COMMAND_DONE) > 200);
}

int main(void)
{
    /* Thousands of result stores are written; memory needs no waiting for a disk. */
    snprintf(dir, sizeof dir, "%s/phase2sim-memory.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(dir) || !getcwd(top, sizeof top))
        return 1;
    const char *vectors = "tests/vectors";
    int bad =
        shell("mkdir %s/library %s/captures && cp scenarios/two-gateways.xml scenarios/esn.xml %s/library",
              dir, dir, dir) ||
        shell("cp %s/scenarios/two-cases.xml %s/", vectors, dir) ||
        shell("sed 's/runs=\"2\"/runs=\"1\"/' %s/two-cases.xml >%s/small.xml", dir, dir) ||
        shell("sed -e 's/20ms/20mss/' -e 's/pfs=/psf=/' %s/small.xml >%s/wrong.xml", dir, dir) ||
        shell("cp %s/corpus/aggressive-mode/* %s/", vectors, dir) ||
        shell("cp %s/scenarios/memory.xml %s/world.xml", vectors, dir);
    char path[2048];
    snprintf(path, sizeof path, "%s/%s/fake-worker.sh", top, vectors);
    setenv("PHASE2SIM_WORKER", path, 1);
    snprintf(path, sizeof path, "%s/scenarios", top);
    setenv("PHASE2SIM_SCENARIOS", path, 1);
    static const struct check_case cases[] = {
        {"scenarios are checked", scenarios_are_checked},
        {"the library is listed", the_library_is_listed},
        {"runs are run, reported and resumed", runs_are_run_reported_and_resumed},
        {"captures are explained", captures_are_explained},
        {"a machine is calibrated", a_machine_is_calibrated},
        {"cases are simulated", cases_are_simulated}};
    int result = bad ? 1 : check_run("out of memory, program", cases, sizeof cases / sizeof cases[0]);
    return shell("rm -r %s", dir) ? 1 : result;
}
