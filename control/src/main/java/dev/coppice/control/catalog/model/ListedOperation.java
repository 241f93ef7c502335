package dev.coppice.control.catalog.model;

/** An operation with its place in the order of all. */
public record ListedOperation(Operation operation, long sequence) {}
