// Command informers watches forty kinds of objects of a cluster, until a context ends that never does.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// cluster has one object that changes.
func cluster() (*cache.ListWatch, *watch.FakeWatcher) {
	changes := watch.NewFake()
	return &cache.ListWatch{
		ListFunc: func(metav1.ListOptions) (runtime.Object, error) {
			return &corev1.ConfigMapList{ListMeta: metav1.ListMeta{ResourceVersion: "1"}}, nil
		},
		WatchFunc: func(metav1.ListOptions) (watch.Interface, error) { return changes, nil },
	}, changes
}

func run(ctx context.Context, source *cache.ListWatch) {
	_, informer := cache.NewInformer(source, &corev1.ConfigMap{}, 0, cache.ResourceEventHandlerFuncs{})
	informer.Run(ctx.Done())
}

func main() {
	var clusters []*watch.FakeWatcher
	for i := 0; i < 40; i++ {
		source, changes := cluster()
		clusters = append(clusters, changes)
		go run(context.Background(), source)
	}
	alive.Ready()
	for round := 0; ; round++ {
		clusters[round%len(clusters)].Modify(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "flags", ResourceVersion: "2"}})
		time.Sleep(50 * time.Millisecond)
	}
}
