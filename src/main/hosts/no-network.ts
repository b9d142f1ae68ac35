/** Ways to a network that no policy of a document covers. Each page's first script takes them away. */
export const NO_NETWORK: readonly string[] = ['RTCPeerConnection', 'webkitRTCPeerConnection', 'WebTransport', 'WebSocket', 'WebSocketStream', 'EventSource', 'PresentationRequest', 'TCPSocket', 'UDPSocket'];
