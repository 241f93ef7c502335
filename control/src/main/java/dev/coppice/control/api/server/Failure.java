package dev.coppice.control.api.server;

/** The body of every answer to a request that was refused or failed, as Neon has it. */
public record Failure(String code, String message, String requestId) {}
