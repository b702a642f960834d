"""What happens, and how things stand, told to an MQTT broker; a few commands taken from it.

    topics         names of topics, whatever a name holds
    sayings        events and states as JSON
    homeassistant  how Home Assistant finds the bridge: one message a bridge
    orders         what may be asked from the broker
    surface        the listener, and the task that speaks with the broker
    connection     aiomqtt, which is known in this package alone

Must not delay anything: events wait in a bounded queue, and the oldest are dropped from it.
"""
