package dev.coppice.proxy.route;

/** Where a connection goes. */
public sealed interface Route {

    /** A name for logs, and for making up a mock secret; not shown to the client. */
    String label();

    /** To this endpoint. */
    record Known(RoutedEndpoint endpoint) implements Route {
        @Override
        public String label() {
            return endpoint.endpointId();
        }
    }

    /** To a name that nobody has. The client learns only that the password was wrong. */
    record Unknown(String label) implements Route {}
}
