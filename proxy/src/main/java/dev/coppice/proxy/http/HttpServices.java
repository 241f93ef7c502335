package dev.coppice.proxy.http;

import dev.coppice.proxy.pool.Pools;

/** What all HTTP connections of one proxy share. */
public record HttpServices(HttpSettings settings, Pools pools, HttpMetrics metrics) {}
