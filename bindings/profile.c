#include "profile.h"

#include <assert.h>

p2_time profile_price_of(const struct profile *profile, const struct p2_work *work)
{
    p2_time total = 0;
    for (size_t i = 0; i < work->num_items; i++) {
        const struct p2_work_item *item = &work->items[i];
        const struct profile_price *price = &profile->prices[item->operation][item->algorithm];
        assert(price->known);
        int64_t once_ns = (price->fixed_ps + price->per_byte_ps * (int64_t)item->bytes + 500) / 1000;
        total += once_ns * item->times * profile->scale;
    }
    return total;
}

bool profile_first_unpriced(const struct profile *profile, enum p2_operation *op, unsigned *algorithm)
{
    for (unsigned o = 0; o < P2_NUM_OPERATIONS; o++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++) {
            if (!profile->prices[o][a].known && p2_operation_algorithm((enum p2_operation)o, a)) {
                *op = (enum p2_operation)o;
                *algorithm = a;
                return true;
            }
        }
    }
    return false;
}
