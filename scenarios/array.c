#include "array.h"

#include <stdlib.h>
#include <string.h>

void *array_append(void *array, size_t *num, size_t size)
{
    void *items;
    memcpy(&items, array, sizeof items);
    if ((*num & (*num - 1)) == 0) { /* a power of two, or none: full */
        void *bigger = realloc(items, (*num > 0 ? 2 * *num : 1) * size);
        if (!bigger)
            return NULL;
        items = bigger;
        memcpy(array, &items, sizeof items);
    }
    return memset((char *)items + size * (*num)++, 0, size);
}
