/* One child process, fed and read without blocking. */
#ifndef P2_PROCESS_H
#define P2_PROCESS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_LAST_WORDS 4096
/* stdin, stdout, stderr, and one on which a program shows that it is alive, with bytes of no meaning. */
#define PROCESS_STREAMS 4
#define PROCESS_ALIVE   3

struct process {
    pid_t pid;  /* 0: none */
    int status; /* of waitpid, once it has ended */
    bool ended;
    int fds[PROCESS_STREAMS]; /* our ends; -1: closed */
    int64_t heard_ms;         /* process_now when it last wrote something, or was started */
    const char *input;        /* borrowed */
    size_t input_len;
    size_t input_sent;
    char *output; /* all that it wrote on stdout */
    size_t output_len;
    size_t output_capacity;
    bool out_of_memory;                  /* for its output */
    char last_words[PROCESS_LAST_WORDS]; /* the end of what it wrote on stderr */
    size_t last_words_len;
};

/* Starts the program at path argv[0] as leader of a process group of its own, so that a Ctrl-C on the
 * terminal reaches only us. It is ended with us. 0, or -1 with errno. interrupt_install must have been
 * called. */
int process_start(struct process *process, char *const argv[], const char *input, size_t input_len);
/* What to poll for; returns how many of `fds` were filled. */
size_t process_poll(const struct process *process, struct pollfd fds[PROCESS_STREAMS]);
/* Milliseconds of a clock that nobody sets. */
int64_t process_now(void);
/* Reads and writes what is possible now, and notices the end. */
void process_advance(struct process *process);
/* Sends a signal to it and to all that it started. */
void process_signal(const struct process *process, int signal_number);
/* "ended with exit code 3", "was killed by signal 11 (Segmentation fault)"; NULL: it ended with exit code 0.
 */
const char *process_how_ended(const struct process *process, char *text, size_t text_size);
/* Frees; one that still runs is killed. */
void process_cleanup(struct process *process);

#endif
