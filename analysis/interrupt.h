/* Signals as something that poll can wait for. The only mutable global state of the program is in
 * interrupt.c. */
#ifndef P2_INTERRUPT_H
#define P2_INTERRUPT_H

/* From here on SIGINT, SIGTERM and SIGHUP are noted instead of ending the program, ends of children wake up
 * interrupt_fd, and SIGPIPE is ignored. 0, or -1 with errno. */
int interrupt_install(void);
/* As it was before interrupt_install. */
void interrupt_restore(void);
/* Becomes readable when a signal arrived. */
int interrupt_fd(void);
/* Empties interrupt_fd. */
void interrupt_drain(void);
/* How often the program was asked to end. */
int interrupt_count(void);
/* For a child between fork and exec: every signal back to its default. */
void interrupt_reset_child(void);

#endif
