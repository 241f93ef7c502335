package dev.coppice.proxy.route;

/** One thing the client said about where it wants to go, and how it said it. */
record RouteHint(Source source, String name) {

    enum Source {
        OPTIONS("options"),
        SERVER_NAME("the host name"),
        DATABASE("the database name");

        private final String description;

        Source(String description) {
            this.description = description;
        }
    }

    @Override
    public String toString() {
        return "\"" + name + "\" in " + source.description;
    }
}
