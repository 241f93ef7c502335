package dev.coppice.masking.function.json;

/** What to do at a path of a document. */
public record JsonRule(JsonPath path, JsonLeaves leaves) {}
