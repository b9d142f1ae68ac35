/** A page that does nothing by itself: the tests ask it to. */
document.querySelector('#status').textContent = 'ready';
