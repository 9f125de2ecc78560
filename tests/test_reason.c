/* Each reason has a name of its own: reports and records tell them apart by nothing else. */
#include "check.h"
#include "reason.h"

typedef const char *naming(unsigned value);

static const char *drop_name(unsigned value)
{
    return p2_drop_name((enum p2_drop)value);
}

static const char *failure_name(unsigned value)
{
    return p2_failure_name((enum p2_failure)value);
}

static const char *start_name(unsigned value)
{
    return p2_start_name((enum p2_start)value);
}

static const char *removal_name(unsigned value)
{
    return p2_removal_name((enum p2_removal)value);
}

static void check_names(naming *name, unsigned num)
{
    for (unsigned i = 0; i < num; i++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(name(i));
        CU_ASSERT_TRUE(name(i)[0] != '\0' && strpbrk(name(i), " ,\"\n") == NULL);
        for (unsigned other = 0; other < i; other++)
            CU_ASSERT_STRING_NOT_EQUAL(name(i), name(other));
    }
}

static void names_differ(void)
{
    check_names(drop_name, P2_NUM_DROPS);
    check_names(failure_name, P2_NUM_FAILURES);
    check_names(start_name, P2_START_PEER_DEAD + 1);
    check_names(removal_name, P2_REMOVED_INITIAL_CONTACT + 1);
}

CHECK_MAIN("reasons", {"each has a name of its own", names_differ})
