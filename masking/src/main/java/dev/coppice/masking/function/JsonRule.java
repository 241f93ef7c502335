package dev.coppice.masking.function;

/** What to do at a path of a document. */
record JsonRule(JsonPath path, JsonLeaves leaves) {}
