#include "protocol/input.h"

struct caws__input *caws__input_new(const struct caws__input *from,
                                    const caws_alloc *alloc)
{
    struct caws__input *input = caws__resize(alloc, NULL, 0, sizeof *input);
    if (input)
        *input = *from;
    return input;
}

void caws__input_clear(struct caws__input *input, const caws_alloc *alloc)
{
    caws__buffer_free(&input->frame.control, alloc);
    caws__buffer_free(&input->message.data, alloc);
    caws__buffer_free(&input->held, alloc);
}

void caws__input_free(struct caws__input *input, const caws_alloc *alloc)
{
    if (!input)
        return;
    caws__input_clear(input, alloc);
    caws__resize(alloc, input, sizeof *input, 0);
}
