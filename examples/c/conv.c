/* conv, its gradients and max_pool in C, offered to `convspec check "exec:./conv"`.

   cc -O2 -o conv conv.c -lm

   The operations come first; the wire protocol, with a reader for as much of safetensors and
   JSON as it needs, is the second half of this file.  It trusts the oracle to send valid frames,
   and ends with a message where one is not.  A little-endian machine is assumed. */

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AXES = 8, ARRAYS = 8, TEXT = 1024 };

typedef struct {
  char name[64], dtype[8];
  int axes;
  long shape[AXES], size;
  double *data;
} Array;

typedef struct {
  long stride[AXES], padding[2 * AXES], dilation[AXES], kernel_size[AXES], groups, ceil_mode;
  int steps, sides, holes, kernel_axes; /* how many of each were given */
} Attributes;

/* What a sliding window joins: `count` triples of an output position, a tap and an input position,
   each a flat index.  Padding is never stored: a tap outside the input is not in the list. */
typedef struct {
  int rank;
  long sizes[AXES], outputs, taps, inputs, count;
  struct { long y, w, x; } *joined;
} Windows;

static char problem[TEXT]; /* why a call is refused; empty where it is not */

static int must(int condition, const char *format, ...) {
  if (!condition && !problem[0]) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, sizeof problem, format, arguments);
    va_end(arguments);
  }
  return condition;
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count ? count : 1, size);
  if (!memory) {
    fprintf(stderr, "out of memory\n");
    exit(1);
  }
  return memory;
}

static void join(Windows *found, const long *spatial, const long *kernel, const Attributes *given,
                 int axis, long y, long w, long x) {
  if (axis == found->rank) {
    found->joined[found->count].y = y;
    found->joined[found->count].w = w;
    found->joined[found->count++].x = x;
    return;
  }
  for (long i = 0; i < found->sizes[axis]; i++)
    for (long j = 0; j < kernel[axis]; j++) {
      long a = i * given->stride[axis] - given->padding[2 * axis] + j * given->dilation[axis];
      if (a >= 0 && a < spatial[axis])
        join(found, spatial, kernel, given, axis + 1, y * found->sizes[axis] + i,
             w * kernel[axis] + j, x * spatial[axis] + a);
    }
}

/* The windows of a call; their `joined` is NULL where the call is refused. */
static Windows windows(int rank, const long *spatial, const long *kernel, const Attributes *given) {
  Windows found = {.rank = rank, .outputs = 1, .taps = 1, .inputs = 1};
  if (!must(rank > 0 && given->steps == rank && given->sides == 2 * rank && given->holes == rank,
            "%d spatial axes, and other numbers of strides, paddings or dilations", rank))
    return found;
  for (int axis = 0; axis < rank; axis++) {
    long low = given->padding[2 * axis], high = given->padding[2 * axis + 1];
    long step = given->stride[axis], hole = given->dilation[axis], n = spatial[axis];
    if (!must(kernel[axis] > 0 && step > 0 && hole > 0, "sizes and steps must be positive") ||
        !must(low >= 0 && high >= 0, "padding %ld, %ld must not be negative", low, high))
      return found;
    long room = n + low + high - hole * (kernel[axis] - 1) - 1;
    if (!must(room >= 0, "a kernel of %ld exceeds the padded input", kernel[axis])) return found;
    long size = room / step + 1;
    if (given->ceil_mode) {
      size = (room + step - 1) / step + 1;
      if ((size - 1) * step >= n + low) size--;
    }
    found.sizes[axis] = size;
    found.outputs *= size;
    found.taps *= kernel[axis];
    found.inputs *= n;
  }
  found.joined = allocate(found.outputs * found.taps, sizeof *found.joined);
  join(&found, spatial, kernel, given, 0, 0, 0, 0);
  return found;
}

static Array array(const char *dtype, int axes, const long *shape) {
  Array made = {.axes = axes, .size = 1};
  strcpy(made.dtype, dtype);
  for (int axis = 0; axis < axes; axis++) made.size *= made.shape[axis] = shape[axis];
  made.data = allocate(made.size, sizeof *made.data);
  return made;
}

static Array output_array(const Array *input, long channels, const Windows *found) {
  long shape[AXES] = {input->shape[0], channels};
  memcpy(shape + 2, found->sizes, found->rank * sizeof *shape);
  return array(input->dtype, found->rank + 2, shape);
}

static const Array *operand(const Array *arrays, int count, const char *name) {
  for (int index = 0; index < count; index++)
    if (!strcmp(arrays[index].name, name)) return &arrays[index];
  return NULL;
}

/* conv and, where there is a cotangent, conv_vjp: both visit every product y += w x. */
static int convolve(const Array *arrays, int count, const Attributes *given, int gradient,
                    Array *outputs) {
  const Array *x = operand(arrays, count, "input"), *w = operand(arrays, count, "weight");
  const Array *b = operand(arrays, count, "bias"), *g = operand(arrays, count, "cotangent");
  if (!must(x && w && x->axes > 2 && w->axes == x->axes, "input and weight must have equal axes"))
    return 0;
  long N = x->shape[0], C = x->shape[1], O = w->shape[0], share = w->shape[1];
  long groups = given->groups;
  if (!must(groups > 0 && C % groups == 0 && O % groups == 0, "groups must divide %ld and %ld", C,
            O) ||
      !must(share == C / groups, "weight has %ld channels, %ld are due", share, C / groups) ||
      !must(!b || (b->axes == 1 && b->shape[0] == O), "bias must have %ld elements", O))
    return 0;
  Windows found = windows(x->axes - 2, x->shape + 2, w->shape + 2, given);
  if (!found.joined) return 0;
  Array y = output_array(x, O, &found), dx = array(x->dtype, x->axes, x->shape);
  Array dw = array(w->dtype, w->axes, w->shape), db = array(x->dtype, 1, &O);
  int fits = !gradient || (g && g->axes == y.axes && !memcmp(g->shape, y.shape, sizeof y.shape));
  if (must(fits, "the cotangent must have the shape of the output")) {
    for (long n = 0; n < N; n++)
      for (long o = 0; o < O; o++) {
        long y0 = (n * O + o) * found.outputs;
        for (long c = 0; c < share; c++) {
          long w0 = (o * share + c) * found.taps;
          long x0 = (n * C + o / (O / groups) * share + c) * found.inputs;
          for (long t = 0; t < found.count; t++) {
            long at_y = y0 + found.joined[t].y, at_w = w0 + found.joined[t].w;
            long at_x = x0 + found.joined[t].x;
            if (gradient) {
              dx.data[at_x] += g->data[at_y] * w->data[at_w];
              dw.data[at_w] += g->data[at_y] * x->data[at_x];
            } else {
              y.data[at_y] += w->data[at_w] * x->data[at_x];
            }
          }
        }
        for (long i = 0; b && i < found.outputs; i++)
          if (gradient)
            db.data[o] += g->data[y0 + i];
          else
            y.data[y0 + i] += b->data[o];
      }
  }
  free(found.joined);
  outputs[0] = gradient ? dx : y;
  outputs[1] = dw;
  outputs[2] = db;
  free(gradient ? y.data : dx.data);
  if (gradient) return b ? 3 : 2;
  free(dw.data);
  free(db.data);
  return 1;
}

static int max_pool(const Array *arrays, int count, const Attributes *given, Array *outputs) {
  const Array *x = operand(arrays, count, "input");
  if (!must(x && x->axes > 2 && given->kernel_axes == x->axes - 2, "input or kernel_size"))
    return 0;
  Windows found = windows(x->axes - 2, x->shape + 2, given->kernel_size, given);
  if (!found.joined) return 0;
  Array y = output_array(x, x->shape[1], &found);
  for (long i = 0; i < y.size; i++) y.data[i] = -INFINITY;
  for (long plane = 0; plane < x->shape[0] * x->shape[1]; plane++)
    for (long t = 0; t < found.count; t++) {
      double *most = &y.data[plane * found.outputs + found.joined[t].y];
      double value = x->data[plane * found.inputs + found.joined[t].x];
      if (value > *most || isnan(value)) *most = value; /* nothing is greater than NaN */
    }
  free(found.joined);
  outputs[0] = y;
  return 1;
}

/* From here on: the wire protocol.  A JSON text is read from `at` on, which moves. */

static const char *at;

static void broken(const char *what) {
  fprintf(stderr, "no valid request: %s\n", what);
  exit(1);
}

static int next_is(char c) { /* and if it is, it is passed */
  at += strspn(at, " \t\r\n");
  if (*at != c) return 0;
  at++;
  return 1;
}

/* A string, its escapes resolved as far as JSON text inside of JSON needs it. */
static void read_text(char *text, size_t room) {
  size_t length = 0;
  if (!next_is('"')) broken("no string");
  while (*at != '"') {
    if (*at == '\\') at++;
    if (!*at || length + 1 == room) broken("a long string");
    text[length++] = *at++;
  }
  at++;
  text[length] = 0;
}

/* The whole numbers of a list, or of lists in lists, one after the other; true is 1.  How many
   they are, or -1 where they are too many or something else is among them. */
static int read_numbers(long *numbers, int most) {
  int count = 0, depth = 0;
  do {
    if (next_is('[')) {
      depth++;
    } else if (next_is(']')) {
      depth--;
    } else if (!next_is(',')) {
      char *end = (char *)at;
      long number = strncmp(at, "true", 4) == 0 ? 1 : strtol(at, &end, 10);
      if (end == at) end += number ? 4 : strncmp(at, "false", 5) == 0 ? 5 : 0;
      if (end == at || count == most) return -1;
      numbers[count++] = number;
      at = end;
    }
  } while (depth > 0);
  return count;
}

/* Call `entry` for each name of an object. */
static void read_object(void (*entry)(const char *name, void *into), void *into) {
  char name[64];
  if (!next_is('{')) broken("no object");
  while (!next_is('}')) {
    read_text(name, sizeof name);
    if (!next_is(':')) broken("no value");
    entry(name, into);
    next_is(',');
  }
}

typedef struct {
  char id[TEXT], operation[TEXT], attributes[TEXT];
  Array arrays[ARRAYS];
  long begin[ARRAYS];
  int count;
} Request;

static void read_metadata(const char *name, void *into) {
  Request *request = into;
  char other[TEXT];
  read_text(!strcmp(name, "id")           ? request->id
            : !strcmp(name, "operation")  ? request->operation
            : !strcmp(name, "attributes") ? request->attributes
                                          : other,
            TEXT);
}

static void read_description(const char *name, void *into) {
  Request *request = into;
  Array *array = &request->arrays[request->count];
  long offsets[2];
  if (!strcmp(name, "dtype")) {
    read_text(array->dtype, sizeof array->dtype);
  } else if (!strcmp(name, "shape")) {
    array->axes = read_numbers(array->shape, AXES);
    if (array->axes < 0) broken("no shape");
  } else {
    if (read_numbers(offsets, 2) != 2) broken("no offsets");
    request->begin[request->count] = offsets[0];
  }
}

static void read_entry(const char *name, void *into) {
  Request *request = into;
  if (!strcmp(name, "__metadata__")) {
    read_object(read_metadata, request);
    return;
  }
  if (request->count == ARRAYS) broken("too many arrays");
  snprintf(request->arrays[request->count].name, 64, "%s", name);
  read_object(read_description, request);
  request->count++;
}

static char unknown[64]; /* an attribute that this program does not know */

static void read_attribute(const char *name, void *into) {
  Attributes *given = into;
  const char *value = at;
  int count = 0;
  if (!strcmp(name, "stride")) count = given->steps = read_numbers(given->stride, AXES);
  else if (!strcmp(name, "padding"))
    count = given->sides = read_numbers(given->padding, 2 * AXES);
  else if (!strcmp(name, "dilation")) count = given->holes = read_numbers(given->dilation, AXES);
  else if (!strcmp(name, "kernel_size"))
    count = given->kernel_axes = read_numbers(given->kernel_size, AXES);
  else if (!strcmp(name, "groups")) count = read_numbers(&given->groups, 1);
  else if (!strcmp(name, "ceil_mode")) count = read_numbers(&given->ceil_mode, 1);
  else snprintf(unknown, sizeof unknown, "%s", name);
  int length = at + strcspn(at, ",]}") - value;
  must(count >= 0, "%s must be whole numbers, and begins with %.*s", name, length, value);
  if (unknown[0] || problem[0]) at = "}"; /* the rest does not matter */
}

/* One frame with what the metadata say and the outputs, each in its dtype. */
static void respond(const char *metadata, const Array *outputs, int count) {
  char header[5 * TEXT];
  int length = snprintf(header, sizeof header, "{\"__metadata__\":{%s}", metadata);
  long bytes = 0;
  for (int index = 0; index < count; index++) {
    const Array *y = &outputs[index];
    char name[32] = "output";
    if (index) snprintf(name, sizeof name, "output_%d", index);
    long size = y->size * (strcmp(y->dtype, "F64") ? 4 : 8);
    length += sprintf(header + length, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", name, y->dtype);
    for (int axis = 0; axis < y->axes; axis++)
      length += sprintf(header + length, axis ? ",%ld" : "%ld", y->shape[axis]);
    length += sprintf(header + length, "],\"data_offsets\":[%ld,%ld]}", bytes, bytes + size);
    bytes += size;
  }
  length += sprintf(header + length, "}");
  uint64_t prefix[2] = {8 + length + bytes, length};
  fwrite(prefix, 8, 2, stdout);
  fwrite(header, 1, length, stdout);
  for (int index = 0; index < count; index++)
    for (long i = 0; i < outputs[index].size; i++) {
      double value = outputs[index].data[i];
      float single = value;
      if (strcmp(outputs[index].dtype, "F64")) fwrite(&single, 4, 1, stdout);
      else fwrite(&value, 8, 1, stdout);
    }
  fflush(stdout);
}

static void say(const Request *request, const char *status, const char *message) {
  char metadata[4 * TEXT], escaped[2 * TEXT];
  int length = 0;
  for (; *message; message++) {
    if (*message == '"' || *message == '\\') escaped[length++] = '\\';
    escaped[length++] = *message;
  }
  escaped[length] = 0;
  snprintf(metadata, sizeof metadata, "\"id\":\"%s\",\"status\":\"%s\",\"message\":\"%s\"",
           request->id, status, escaped);
  respond(metadata, NULL, 0);
}

static void describe(const Request *request) {
  char metadata[2 * TEXT];
  snprintf(metadata, sizeof metadata,
           "\"id\":\"%s\",\"status\":\"ok\",\"name\":\"c\",\"version\":\"1\","
           "\"operations\":\"[\\\"conv\\\",\\\"conv_vjp\\\",\\\"max_pool\\\"]\","
           "\"dtypes\":\"[\\\"float32\\\",\\\"float64\\\"]\"",
           request->id);
  respond(metadata, NULL, 0);
}

/* The numbers of every operand as doubles; 0 where one has a dtype that is not offered. */
static int read_arrays(Request *request, const char *data) {
  for (int index = 0; index < request->count; index++) {
    Array *x = &request->arrays[index];
    if (strcmp(x->dtype, "F32") && strcmp(x->dtype, "F64")) return 0;
    if (strcmp(x->dtype, request->arrays[0].dtype)) return 0;
    x->size = 1;
    for (int axis = 0; axis < x->axes; axis++) x->size *= x->shape[axis];
    x->data = allocate(x->size, sizeof *x->data);
    for (long i = 0; i < x->size; i++) {
      float single;
      const char *place = data + request->begin[index];
      if (strcmp(x->dtype, "F64")) memcpy(&single, place + 4 * i, 4), x->data[i] = single;
      else memcpy(&x->data[i], place + 8 * i, 8);
    }
  }
  return 1;
}

static void compute(Request *request, const char *data) {
  Attributes given = {.groups = 1};
  Array outputs[3];
  char metadata[2 * TEXT];
  int gradient = !strcmp(request->operation, "conv_vjp"), count = 0;
  unknown[0] = problem[0] = 0;
  at = request->attributes;
  read_object(read_attribute, &given);
  if (unknown[0]) {
    say(request, "unsupported", "an unknown attribute");
  } else if (!gradient && strcmp(request->operation, "conv") &&
             strcmp(request->operation, "max_pool")) {
    say(request, "unsupported", "an unknown operation");
  } else if (!read_arrays(request, data)) {
    say(request, "unsupported", "dtypes other than float32 and float64");
  } else {
    if (problem[0]) count = 0;
    else if (!strcmp(request->operation, "max_pool"))
      count = max_pool(request->arrays, request->count, &given, outputs);
    else
      count = convolve(request->arrays, request->count, &given, gradient, outputs);
    snprintf(metadata, sizeof metadata, "\"id\":\"%s\",\"status\":\"ok\"", request->id);
    if (problem[0]) say(request, "error", problem);
    else respond(metadata, outputs, count);
  }
  for (int index = 0; index < count; index++) free(outputs[index].data);
  for (int index = 0; index < request->count; index++) free(request->arrays[index].data);
}

int main(void) {
  uint64_t length, header;
  while (fread(&length, 8, 1, stdin) == 1) {
    char *frame = allocate(length + 1, 1);
    if (length < 8 || fread(frame, 1, length, stdin) != length) broken("a short frame");
    memcpy(&header, frame, 8);
    if (header > length - 8) broken("a long header");
    char *text = allocate(header + 1, 1);
    memcpy(text, frame + 8, header);
    Request request = {.count = 0};
    at = text;
    read_object(read_entry, &request);
    if (!strcmp(request.operation, "describe")) describe(&request);
    else compute(&request, frame + 8 + header);
    free(text);
    free(frame);
  }
  return 0;
}
